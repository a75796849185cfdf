import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine, VariablePart, VariableSpec } from '../compute/runtime/engine.ts';
import { openReferenceEngine } from '../compute/runtime/reference/reference-engine.ts';
import { Random } from '../util/random.ts';
import { discardTensors } from './checkpoints.ts';
import { emptyGuardState } from './guard/guard-state.ts';
import {
  restoreBestWeights,
  restoreTrainingState,
  saveBestWeights,
  saveTrainingState,
  type TrainingState,
} from './training-state.ts';

const variables: VariableSpec[] = [
  { name: 'matrix', dims: [3, 5], trainable: true },
  { name: 'bias', dims: [5], trainable: true },
];
const parts: readonly VariablePart[] = ['value', 'firstMoment', 'secondMoment'];

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray state '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An engine whose variables hold seeded random numbers. */
async function open(seed: number, specs = variables): Promise<Engine> {
  const engine = await openReferenceEngine({ precision: 'float32' });
  await engine.createVariables(specs);
  const random = new Random(seed);
  for (const { name, dims } of specs) {
    const length = dims.reduce((a, b) => a * b, 1);
    for (const part of parts)
      await engine.writeVariable(
        name,
        part,
        Float32Array.from({ length }, () => random.normal()),
      );
  }
  return engine;
}

async function contents(engine: Engine): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  for (const { name } of variables) {
    for (const part of parts) found.set(`${part}/${name}`, await engine.readVariable(name, part));
  }
  return found;
}

function state(step: number, best?: { step: number; value: number }): TrainingState {
  const sampler = { epoch: 2, position: 7, waiting: [3, 1], random: [1, 2, 3, 4294967295] as const };
  return {
    step,
    sampler,
    best,
    evaluationDue: step % 2 === 1,
    seconds: 1.5,
    controllers: { documents: { steps: step, weight: 0.5, integral: -1, logActiveDims: 2, start: 3 } },
    guard: { ...emptyGuardState, weight: step / 100 },
    learned: { document_regularizer_loss: Float32Array.of(step, 0.5) },
  };
}

describe('a checkpoint', () => {
  it('brings everything back, bit by bit', async () => {
    const saved = await open(1);
    const before = await contents(saved);
    await saveTrainingState(folder, saved, variables, state(3, { step: 2, value: 0.25 }), 2);
    const other = await open(2);
    expect(await contents(other)).not.toEqual(before);
    expect(await restoreTrainingState(folder, other, variables)).toEqual(state(3, { step: 2, value: 0.25 }));
    expect(await contents(other)).toEqual(before);
  });

  it('is the newest, also past a power of ten', async () => {
    for (const step of [2, 10, 9]) await saveTrainingState(folder, await open(step), variables, state(step), 5);
    const engine = await open(1);
    expect(await restoreTrainingState(folder, engine, variables)).toEqual(state(10));
    expect(await contents(engine)).toEqual(await contents(await open(10)));
  });

  it('is absent from a new folder, and from one that is not there', async () => {
    const engine = await open(1);
    expect(await restoreTrainingState(folder, engine, variables)).toBeUndefined();
    expect(await restoreTrainingState(join(folder, 'absent'), engine, variables)).toBeUndefined();
  });

  it('replaces one of the same step', async () => {
    await saveTrainingState(folder, await open(1), variables, state(4), 2);
    await saveTrainingState(folder, await open(2), variables, state(4, { step: 4, value: 1 }), 2);
    const engine = await open(3);
    expect(await restoreTrainingState(folder, engine, variables)).toEqual(state(4, { step: 4, value: 1 }));
    expect(await contents(engine)).toEqual(await contents(await open(2)));
  });

  it('stays where it belongs to the newest, and goes otherwise', async () => {
    const engine = await open(1);
    for (const step of [1, 2, 3, 4]) await saveTrainingState(folder, engine, variables, state(step), 2);
    expect(await readdir(folder)).toEqual(['checkpoint-00000003', 'checkpoint-00000004']);
  });
});

describe('the weights of a best step', () => {
  it('come back by their step', async () => {
    const engine = await open(1);
    const matrix = await engine.readVariable('matrix', 'value');
    await saveBestWeights(folder, engine, variables, 12);
    const other = await open(2);
    const moment = await other.readVariable('matrix', 'firstMoment');
    await restoreBestWeights(folder, other, variables, 12);
    expect(await other.readVariable('matrix', 'value')).toEqual(matrix);
    expect(await other.readVariable('matrix', 'firstMoment')).toEqual(moment);
  });

  it('stay as long as a checkpoint names them', async () => {
    const engine = await open(1);
    const names = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.startsWith('best'));
    for (const step of [1, 2, 3]) {
      await saveBestWeights(folder, engine, variables, step);
      await saveTrainingState(folder, engine, variables, state(step, { step, value: step }), 2);
    }
    expect(await names()).toEqual(['best-00000002.safetensors', 'best-00000003.safetensors']);
    await saveTrainingState(folder, engine, variables, state(4, { step: 3, value: 3 }), 2);
    expect(await names()).toEqual(['best-00000003.safetensors']);
  });
});

describe('a checkpoint that is damaged', () => {
  const newest = (file: string): string => join(folder, 'checkpoint-00000008', file);
  beforeEach(async () => {
    await saveTrainingState(folder, await open(1), variables, state(4), 2);
    await saveTrainingState(folder, await open(2), variables, state(8), 2);
  });

  it.each([
    ['no state', () => rm(newest('state.json'))],
    ['half a state', () => truncate(newest('state.json'), 20)],
    ['a state of another form', () => writeFile(newest('state.json'), '{"step": -1}')],
    ['no tensors', () => rm(newest('state.safetensors'))],
    ['half of the tensors', () => truncate(newest('state.safetensors'), 300)],
    ['no header', () => writeFile(newest('state.safetensors'), 'tensors')],
  ])('is named, with a cure: %s', async (_title, damage) => {
    await damage();
    const engine = await open(3);
    await expect(restoreTrainingState(folder, engine, variables)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('the checkpoint cannot be read'),
      where: join(folder, 'checkpoint-00000008'),
      cure: expect.stringContaining('the one before'),
    });
    await rm(join(folder, 'checkpoint-00000008'), { recursive: true });
    expect(await restoreTrainingState(folder, engine, variables)).toEqual(state(4));
  });

  it.each([
    ['of another shape', [{ ...variables[0]!, dims: [4, 5] }, variables[1]!]],
    ['with other names', [...variables, { name: 'more', dims: [2], trainable: true }]],
  ])('or does not fit a model %s', async (_title, specs) => {
    const engine = await open(3, specs);
    await expect(restoreTrainingState(folder, engine, specs)).rejects.toMatchObject({ code: 'BAD_INPUT' });
  });
});

describe('what a killed run left half-written', () => {
  it('is no checkpoint, and goes at the next start', async () => {
    await saveTrainingState(folder, await open(1), variables, state(4), 2);
    const half = join(folder, '.checkpoint-00000008.1234abcd.partial');
    await mkdir(half);
    await writeFile(join(half, 'state.safetensors'), 'half');
    expect(await restoreTrainingState(folder, await open(2), variables)).toEqual(state(4));
    expect(await readdir(folder)).toEqual(['checkpoint-00000004']);
  });
});

describe('discardTensors', () => {
  it('leaves settings and metrics', async () => {
    await saveTrainingState(folder, await open(1), variables, state(4), 2);
    await saveBestWeights(folder, await open(1), variables, 4);
    await mkdir(join(folder, '.checkpoint-00000008.1234abcd.partial'));
    await writeFile(join(folder, 'config.json'), '{}');
    await writeFile(join(folder, 'metrics.jsonl'), '');
    await discardTensors(folder);
    expect(await readdir(folder)).toEqual(['config.json', 'metrics.jsonl']);
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe('{}');
  });
});
