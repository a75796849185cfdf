/** Heads of cells that fine-tune: the same scale by weights, by a divisor and by the gain itself; controls; λ matched. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCells } from '../../src/study/cells/registry.ts';
import type { Settings } from '../../src/study/design.ts';
import type { CellResult } from '../../src/study/result-line.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const data = 'studies/example-data';
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray cells '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let count = 0;
async function run(changes: Settings): Promise<CellResult> {
  const settings: Settings = {
    ...{ cell: 'finetune', backbone: 'test/fixtures/tiny-model', recipe: 'lexray', data, proposals: false },
    ...{ evaluate: [{ name: 'eval', folder: data, split: 'test' }], prunings: ['0/0'], measures: ['RR@10'] },
    ...{ maxSteps: 4, batchSize: 8, learningRate: 1e-3, logEvery: 1, dropoutRate: 0 },
    ...{ queryRegularizerWeight: 0.01, documentRegularizerWeight: 0.01 },
    ...changes,
  };
  const cells = await openCells([settings], { root, workFolder: join(folder, `work ${count++}`), threads: 1 });
  return cells.run(settings, { id: 'cell', levels: {}, seed: 1 });
}

const by = (way: string, factor = 4): Settings => ({ correction: { arm: 'C', factor, by: way } });
const losses = ({ curves }: CellResult): number[] => curves!.loss!.filter((loss) => loss !== null);

describe('the head of a cell', () => {
  it('has the same scale by weights and by a divisor as by the gain, and goes its own way from the first step on', async () => {
    const plain = await run({ gain: 1 });
    const weights = await run({ gain: 4, ...by('weights') });
    const divisor = await run({ gain: 4, ...by('divisor') });
    const given = await run({ gain: 4, headDivisor: 4 });
    for (const one of [weights, divisor, given]) {
      for (const name of ['scoreSpread', 'entropy', 'activeDims', 'rowNorm']) {
        const relative = one.metrics[`head ${name}`]! / plain.metrics[`head ${name}`]!;
        expect([name, Math.abs(relative - 1) < 1e-4]).toEqual([name, true]);
      }
      expect(one.metrics['backbone scoreSpread']).toBeGreaterThan(2 * one.metrics['head scoreSpread']!);
      expect(losses(one)[0]).toBeCloseTo(losses(plain)[0]!, 4);
    }
    expect(given.scores).toEqual(divisor.scores);
    // Weights that were divided are the plain ones again; a constant divisor leaves weights four times as large to learn.
    expect(losses(weights).at(-1)).toBeCloseTo(losses(plain).at(-1)!, 4);
    expect(Math.abs(losses(divisor).at(-1)! - losses(plain).at(-1)!)).toBeGreaterThan(4e-4);
  });

  it('keeps its scale where only its learning rate is multiplied', async () => {
    const [plain, faster] = [await run({ gain: 1 }), await run({ gain: 1, ...by('learning-rate', 16) })];
    expect(faster.metrics['head scoreSpread']).toBe(plain.metrics['head scoreSpread']);
    expect(faster.metrics['head rowNorm']).toBe(plain.metrics['head rowNorm']);
    expect(faster.metrics.factor).toBe(16);
    expect(losses(faster)[0]).toBe(losses(plain)[0]);
    expect(losses(faster).at(-1)).not.toBeCloseTo(losses(plain).at(-1)!, 4);
  });

  it('is paid for with the λ that weighs what it weighs at gain 1', async () => {
    const gained = await run({ gain: 4, matchLambda: true });
    const corrected = await run({ gain: 4, matchLambda: true, ...by('weights') });
    const shifted = await run({ gain: 4, gainArm: 'D', matchLambda: true });
    expect(gained.metrics.lambdaFactor).toBeLessThan(1);
    expect(corrected.metrics.lambdaFactor).toBeCloseTo(1, 4);
    expect(shifted.metrics.lambdaFactor).not.toBeCloseTo(1, 2);
    const unmatched = await run({ gain: 4 });
    expect(unmatched.metrics.lambdaFactor).toBe(1);
    expect(gained.curves!.base_loss![0]).toBe(unmatched.curves!.base_loss![0]);
    const penalty = ({ curves }: CellResult): number => curves!.loss![0]! - curves!.base_loss![0]!;
    expect(penalty(gained) / penalty(unmatched)).toBeCloseTo(gained.metrics.lambdaFactor!, 3);
  });

  it('refuses what contradicts itself', async () => {
    await expect(run({ headDivisor: 2, ...by('weights') })).rejects.toMatchObject({ code: 'CONFIG' });
    await expect(run({ correction: { arm: 'D', factor: 2, by: 'divisor' } })).rejects.toMatchObject({ code: 'CONFIG' });
  });
});
