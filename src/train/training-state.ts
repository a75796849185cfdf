/**
 * Checkpoints of a training run: everything that the next step depends on. A run folder holds
 *
 *     config.json               resolved settings and the hashes of model and data
 *     metrics.jsonl             one line each `logEvery` steps and each evaluation
 *     checkpoint-000200/        weights and moments (state.safetensors), sampler and best step (state.json)
 *     best.safetensors          weights of the best step on the dev split
 *
 * A checkpoint appears whole or not at all, so the newest one that is there can always be resumed from.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openSafetensors } from '../checkpoint/safetensors-reader.ts';
import { type WritableTensor, writeSafetensors } from '../checkpoint/safetensors-writer.ts';
import type { Engine, VariablePart, VariableSpec } from '../compute/runtime/engine.ts';
import { badInput } from '../util/errors.ts';
import { writeFolderAtomic } from '../util/write-atomic.ts';
import type { SamplerState } from './batch-sampler.ts';

/** The best step so far. */
export interface BestStep {
  readonly step: number;
  readonly value: number;
}

/** Where a run stands, besides its tensors. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly sampler: SamplerState;
  readonly best: BestStep | undefined;
  /** Seconds of training so far. */
  readonly seconds: number;
}

const word = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const stateSchema = z.strictObject({
  step: z.int().min(0),
  sampler: z.strictObject({
    epoch: z.int().min(0),
    position: z.int().min(0),
    random: z.tuple([word, word, word, word]),
  }),
  best: z.strictObject({ step: z.int().min(0), value: z.number() }).optional(),
  seconds: z.number().min(0),
});

const savedParts: readonly VariablePart[] = ['value', 'firstMoment', 'secondMoment'];

/** Writes a checkpoint and removes all but the newest `keep`. */
export async function saveTrainingState(
  runFolder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  state: TrainingState,
  keep: number,
): Promise<void> {
  const folder = join(runFolder, checkpointName(state.step));
  await writeFolderAtomic(
    folder,
    async (temporary) => {
      await writeSafetensors(join(temporary, 'state.safetensors'), tensorsOf(engine, variables, savedParts));
      await writeFile(join(temporary, 'state.json'), `${JSON.stringify(state, null, 2)}\n`);
    },
    { force: true },
  );
  const old = (await listCheckpoints(runFolder)).slice(0, -keep);
  for (const name of old) await rm(join(runFolder, name), { recursive: true, force: true });
}

/**
 * Restores the newest checkpoint into the engine.
 * @returns the state, or undefined when there is no checkpoint
 * @throws LexrayError BAD_INPUT when the checkpoint does not fit the model
 */
export async function restoreTrainingState(
  runFolder: string,
  engine: Engine,
  variables: readonly VariableSpec[],
): Promise<TrainingState | undefined> {
  const newest = (await listCheckpoints(runFolder)).at(-1);
  if (newest === undefined) return undefined;
  const folder = join(runFolder, newest);
  let state: TrainingState;
  try {
    const parsed = stateSchema.parse(JSON.parse(await readFile(join(folder, 'state.json'), 'utf8')));
    state = { ...parsed, best: parsed.best };
  } catch (cause) {
    throw badInput('the checkpoint cannot be read', {
      where: folder,
      cause,
      cure: 'remove it and resume from the one before',
    });
  }
  await readTensors(join(folder, 'state.safetensors'), engine, variables, savedParts);
  return state;
}

/** Writes the weights alone. */
export async function saveWeights(path: string, engine: Engine, variables: readonly VariableSpec[]): Promise<void> {
  await writeSafetensors(path, tensorsOf(engine, variables, ['value']));
}

/** Reads weights written by {@link saveWeights} into the engine. */
export async function restoreWeights(path: string, engine: Engine, variables: readonly VariableSpec[]): Promise<void> {
  await readTensors(path, engine, variables, ['value']);
}

/** Names of the checkpoints of a run, oldest first. */
async function listCheckpoints(runFolder: string): Promise<string[]> {
  if (!existsSync(runFolder)) return [];
  return (await readdir(runFolder)).filter((name) => /^checkpoint-\d+$/.test(name)).sort();
}

function checkpointName(step: number): string {
  return `checkpoint-${String(step).padStart(8, '0')}`;
}

function tensorsOf(
  engine: Engine,
  variables: readonly VariableSpec[],
  parts: readonly VariablePart[],
): WritableTensor[] {
  return parts.flatMap((part) =>
    variables.map(({ name, dims }) => ({
      name: `${part}/${name}`,
      shape: dims,
      data: () => engine.readVariable(name, part),
    })),
  );
}

async function readTensors(
  path: string,
  engine: Engine,
  variables: readonly VariableSpec[],
  parts: readonly VariablePart[],
): Promise<void> {
  const file = await openSafetensors(path);
  try {
    for (const part of parts) {
      for (const { name } of variables)
        await engine.writeVariable(name, part, await file.readTensor(`${part}/${name}`));
    }
  } finally {
    await file.close();
  }
}
