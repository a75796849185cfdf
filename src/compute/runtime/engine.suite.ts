/** What every engine must do: one suite, called by the test file of each implementation. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { Graph } from '../graph/graph.ts';
import { dropoutSeed, fillDropoutMask } from './dropout-mask.ts';
import type { Engine } from './engine.ts';
import { describeAdamW } from './engine-adam-w.suite.ts';
import { failure, float32, linearLoss, plainStep, specs } from './engine-fixtures.suite.ts';
import { describePrograms } from './engine-programs.suite.ts';
import { describeVariables } from './engine-variables.suite.ts';

/** The conformance suite of an engine. */
export function describeEngine(name: string, open: () => Promise<Engine>): void {
  describe(`${name} engine`, () => {
    let engine: Engine;
    beforeEach(async () => {
      engine = await open();
    });
    afterEach(async () => {
      await engine.dispose();
    });

    it('is called by its name', () => {
      expect(engine.name).toBe(name);
    });

    describeVariables(() => engine);
    describePrograms(() => engine);
    describeAdamW(() => engine);

    describe('dropout feeds', () => {
      it('are the seeded mask of the given rate and shape', async () => {
        const graph = new Graph();
        graph.output('same', graph.feed('mask', 'float32', ['n', 8]));
        const program = await engine.compile(graph);
        for (const [rate, seed] of [
          [0, 1],
          [0.1, dropoutSeed(42, 7, 3)],
          [0.5, -5],
        ] as const) {
          const { same } = await program.run({ mask: { dropout: { rate, seed }, dims: [50, 8] } });
          const expected = new Float32Array(400);
          fillDropoutMask(expected, rate, seed);
          expect(same).toEqual({ dtype: 'float32', dims: [50, 8], data: expected });
        }
      });

      it('of a bad rate, seed or shape are refused', async () => {
        const graph = new Graph();
        graph.output('same', graph.feed('mask', 'float32', [2]));
        const program = await engine.compile(graph);
        for (const rate of [1, -0.1, Number.NaN]) {
          const run = program.run({ mask: { dropout: { rate, seed: 1 }, dims: [2] } });
          expect((await failure(run)).message).toBe(`feed mask: a dropout rate in [0, 1) expected, got ${rate}`);
        }
        const half = program.run({ mask: { dropout: { rate: 0.5, seed: 0.5 }, dims: [2] } });
        expect((await failure(half)).message).toBe('feed mask: an integer seed expected, got 0.5');
        const wide = program.run({ mask: { dropout: { rate: 0.5, seed: 1 }, dims: [3] } });
        expect((await failure(wide)).message).toBe('feed mask: float32 [2] expected, got float32 [3]');
      });
    });

    describe('disposal', () => {
      it('may come twice, and refuses calls afterwards', async () => {
        await engine.createVariables(specs({ w: [1] }));
        const program = await linearLoss(engine, 'w', 1);
        await Promise.all([engine.dispose(), engine.dispose()]);
        await engine.dispose();
        const calls: Promise<unknown>[] = [
          engine.readVariable('w', 'value'),
          engine.writeVariable('w', 'value', new Float32Array(1)),
          engine.adamW(plainStep),
          engine.compile(new Graph()),
          program.run({ x: float32([1], [1]) }),
          program.dispose(),
        ];
        for (const call of calls) expect((await failure(call)).message).toBe('the engine has been closed');
      });

      it('settles the calls that are pending', async () => {
        await engine.createVariables(specs({ w: [1] }));
        const program = await linearLoss(engine, 'w', 1);
        const calls = Array.from({ length: 50 }, () => program.run({ x: float32([1], [1]) }));
        const settled = Promise.allSettled(calls);
        await engine.dispose();
        for (const result of await settled) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(LexrayError);
        }
      });
    });
  });
}
