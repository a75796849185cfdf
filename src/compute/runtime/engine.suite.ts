/** What every engine must do: one suite, called by the test file of each implementation. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { addGradients } from '../graph/autodiff.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { Add, Gather, Linear, Mul, ReduceSum, Relu, sumAll } from '../graph/ops/index.ts';
import { dropoutSeed, fillDropoutMask } from './dropout-mask.ts';
import type { AdamWStep, Engine, Program, Tensor, VariablePart, VariableSpec } from './engine.ts';

const parts: readonly VariablePart[] = ['value', 'gradient', 'firstMoment', 'secondMoment'];

const plainStep: AdamWStep = {
  step: 1,
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  withoutDecay: new Set(),
  maxGradientNorm: undefined,
};

function float32(dims: readonly number[], values: readonly number[]): Tensor {
  return { dtype: 'float32', dims, data: Float32Array.from(values) };
}

function int64(values: readonly number[]): Tensor {
  return { dtype: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) };
}

function specs(dims: Readonly<Record<string, readonly number[]>>): VariableSpec[] {
  return Object.entries(dims).map(([name, shape]) => ({ name, dims: shape, trainable: true }));
}

/** A program with the loss Σ x·w over a feed x, so that the gradient of w is x. */
async function linearLoss(engine: Engine, name: string, size: number): Promise<Program> {
  const graph = new Graph();
  const loss = sumAll(Mul(graph.variable(name, [size]), graph.feed('x', 'float32', [size])));
  graph.output('loss', loss);
  addGradients(graph, loss);
  return engine.compile(graph);
}

async function failure(promise: Promise<unknown>): Promise<LexrayError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LexrayError);
  return error as LexrayError;
}

/** AdamW as its paper and PyTorch state it, for one number, written apart from the engines. */
function adamWByHand(start: number, gradients: readonly number[], step: AdamWStep, decay: number): number[] {
  let [w, m, v] = [start, 0, 0];
  return gradients.map((g, i) => {
    m += (1 - step.beta1) * (g - m);
    v += (1 - step.beta2) * (g * g - v);
    w *= 1 - step.learningRate * decay;
    const denominator = Math.sqrt(v) / Math.sqrt(1 - step.beta2 ** (i + 1)) + step.epsilon;
    w -= (step.learningRate / (1 - step.beta1 ** (i + 1))) * (m / denominator);
    return w;
  });
}

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

    describe('variables', () => {
      it('start at zero, in all parts', async () => {
        await engine.createVariables(specs({ w: [2, 3] }));
        for (const part of parts) expect(await engine.readVariable('w', part)).toEqual(new Float32Array(6));
      });

      it('come back as they were written, each part and variable by itself', async () => {
        await engine.createVariables(specs({ a: [5], b: [], c: [1, 1, 3] }));
        const written = new Map<string, Float32Array>();
        for (const [i, variable] of ['a', 'b', 'c'].entries()) {
          for (const [j, part] of parts.entries()) {
            const length = [5, 1, 3][i]!;
            const data = Float32Array.from({ length }, (_, k) => 100 * i + 10 * j + k + 0.1);
            written.set(`${variable} ${part}`, data);
            await engine.writeVariable(variable, part, data);
          }
        }
        for (const variable of ['a', 'b', 'c']) {
          for (const part of parts) {
            expect(await engine.readVariable(variable, part)).toEqual(written.get(`${variable} ${part}`));
          }
        }
      });

      it('are copied in and out', async () => {
        await engine.createVariables(specs({ w: [2] }));
        const data = Float32Array.of(1, 2);
        const writing = engine.writeVariable('w', 'value', data);
        data.fill(9);
        await writing;
        const read = await engine.readVariable('w', 'value');
        expect(read).toEqual(Float32Array.of(1, 2));
        read.fill(9);
        expect(await engine.readVariable('w', 'value')).toEqual(Float32Array.of(1, 2));
      });

      it('are taken from views into larger arrays, shared ones too, and leave these usable', async () => {
        await engine.createVariables(specs({ w: [2] }));
        const large = Float32Array.of(9, 1, 2, 9);
        await engine.writeVariable('w', 'value', large.subarray(1, 3));
        expect(await engine.readVariable('w', 'value')).toEqual(Float32Array.of(1, 2));
        expect(large).toEqual(Float32Array.of(9, 1, 2, 9));
        const shared = new Float32Array(new SharedArrayBuffer(8));
        shared.set([5, 6]);
        await engine.writeVariable('w', 'value', shared);
        expect(await engine.readVariable('w', 'value')).toEqual(Float32Array.of(5, 6));
      });

      it('without training keep a value only', async () => {
        await engine.createVariables([{ name: 'frozen', dims: [2], trainable: false }]);
        await engine.writeVariable('frozen', 'value', Float32Array.of(1, 2));
        expect(await engine.readVariable('frozen', 'value')).toEqual(Float32Array.of(1, 2));
        for (const part of parts.slice(1)) {
          expect((await failure(engine.readVariable('frozen', part))).message).toContain('frozen is not trainable');
          expect((await failure(engine.writeVariable('frozen', part, Float32Array.of(1, 2)))).message).toContain(
            'frozen is not trainable',
          );
        }
      });

      it('are refused under an unknown name, at a wrong length, and when declared twice', async () => {
        await engine.createVariables(specs({ w: [2] }));
        expect((await failure(engine.readVariable('v', 'value'))).message).toBe('unknown variable v');
        expect((await failure(engine.writeVariable('v', 'value', new Float32Array(2)))).message).toBe(
          'unknown variable v',
        );
        const long = await failure(engine.writeVariable('w', 'value', new Float32Array(3)));
        expect(long.message).toBe('variable w: 2 elements expected, got 3');
        expect((await failure(engine.createVariables(specs({ v: [1] })))).message).toContain('created already');
        expect(await engine.readVariable('w', 'value')).toEqual(new Float32Array(2));
      });

      it('need names of their own', async () => {
        const twice = [...specs({ w: [2] }), ...specs({ w: [3] })];
        expect((await failure(engine.createVariables(twice))).message).toBe('variable w is declared twice');
      });
    });

    describe('programs', () => {
      it('return outputs of every type and keep symbolic sizes free', async () => {
        const graph = new Graph();
        const x = graph.feed('x', 'float32', ['n', 2]);
        graph.output('double', Mul(x, 2));
        graph.output('total', ReduceSum(x, [0, 1], false));
        graph.output('same ids', graph.feed('ids', 'int64', ['m']));
        graph.output('same flags', graph.feed('flags', 'bool', [2]));
        graph.output('same small', graph.feed('small', 'int32', [1]));
        const program = await engine.compile(graph);
        const rest = {
          ids: int64([-1, 2 ** 40]),
          flags: { dtype: 'bool', dims: [2], data: Uint8Array.of(1, 0) },
          small: { dtype: 'int32', dims: [1], data: Int32Array.of(-7) },
        } as const;
        for (const rows of [3, 1, 0]) {
          const values = Array.from({ length: rows * 2 }, (_, i) => i + 0.5);
          const result = await program.run({ x: float32([rows, 2], values), ...rest });
          expect(result).toEqual({
            double: float32(
              [rows, 2],
              values.map((value) => value * 2),
            ),
            total: float32([], [values.reduce((sum, value) => sum + value, 0)]),
            'same ids': rest.ids,
            'same flags': rest.flags,
            'same small': rest.small,
          });
        }
      });

      it('put out a variable and a constant themselves', async () => {
        await engine.createVariables(specs({ w: [2] }));
        await engine.writeVariable('w', 'value', Float32Array.of(3, 4));
        const graph = new Graph();
        graph.output('variable', graph.variable('w', [2]));
        graph.output('constant', graph.scalar(5));
        const program = await engine.compile(graph);
        expect(await program.run({})).toEqual({ variable: float32([2], [3, 4]), constant: float32([], [5]) });
      });

      it('take feeds that are views into larger arrays', async () => {
        const graph = new Graph();
        graph.output('y', Add(graph.feed('x', 'float32', ['n']), 1));
        const program = await engine.compile(graph);
        const large = Float32Array.of(9, 1, 2, 9);
        const x: Tensor = { dtype: 'float32', dims: [2], data: large.subarray(1, 3) };
        expect(await program.run({ x })).toEqual({ y: float32([2], [2, 3]) });
        expect(await program.run({ x })).toEqual({ y: float32([2], [2, 3]) });
      });

      it('see variables as they are at the run', async () => {
        await engine.createVariables(specs({ w: [2] }));
        const program = await linearLoss(engine, 'w', 2);
        for (const value of [1, 2]) {
          await engine.writeVariable('w', 'value', Float32Array.of(value, value));
          expect(await program.run({ x: float32([2], [1, 10]) })).toEqual({ loss: float32([], [11 * value]) });
        }
      });

      it('leave gradients in the engine, replaced by each run', async () => {
        await engine.createVariables(specs({ w: [2], other: [2] }));
        await engine.writeVariable('other', 'gradient', Float32Array.of(5, 5));
        const program = await linearLoss(engine, 'w', 2);
        expect(await engine.readVariable('w', 'gradient')).toEqual(new Float32Array(2));
        for (const x of [
          [1, 2],
          [3, 4],
        ]) {
          expect(Object.keys(await program.run({ x: float32([2], x) }))).toEqual(['loss']);
          expect(await engine.readVariable('w', 'gradient')).toEqual(Float32Array.from(x));
        }
        expect(await engine.readVariable('other', 'gradient')).toEqual(Float32Array.of(5, 5));
        expect(await engine.readVariable('w', 'value')).toEqual(new Float32Array(2));
      });

      it('run a small network forward and back', async () => {
        await engine.createVariables(specs({ table: [3, 2], weight: [2, 2], bias: [2] }));
        await engine.writeVariable('table', 'value', Float32Array.of(1, 2, 3, 4, 5, 6));
        await engine.writeVariable('weight', 'value', Float32Array.of(1, -1, 0.5, 2));
        await engine.writeVariable('bias', 'value', Float32Array.of(0.5, -20));
        const graph = new Graph();
        const rows = Gather(graph.variable('table', [3, 2]), graph.feed('ids', 'int64', ['n']));
        const hidden = Relu(Linear(rows, graph.variable('weight', [2, 2]), graph.variable('bias', [2])));
        const loss = sumAll(Add(hidden, 0));
        graph.output('hidden', hidden);
        addGradients(graph, loss);
        const program = await engine.compile(graph);
        // Rows (1,2), (5,6), (1,2): x₀ − x₁ + .5 = −.5 each; .5x₀ + 2x₁ − 20 = −15.5, −5.5, −15.5. Nothing is active.
        const none = await program.run({ ids: int64([0, 2, 0]) });
        expect(none.hidden).toEqual(float32([3, 2], [0, 0, 0, 0, 0, 0]));
        expect(await engine.readVariable('table', 'gradient')).toEqual(new Float32Array(6));
        // With the bias (2, −10): first column 1 in each row, second −5.5, 4.5, −5.5.
        await engine.writeVariable('bias', 'value', Float32Array.of(2, -10));
        const some = await program.run({ ids: int64([0, 2, 0]) });
        expect(some.hidden).toEqual(float32([3, 2], [1, 0, 1, 4.5, 1, 0]));
        expect(await engine.readVariable('bias', 'gradient')).toEqual(Float32Array.of(3, 1));
        expect(await engine.readVariable('weight', 'gradient')).toEqual(Float32Array.of(7, 10, 5, 6));
        expect(await engine.readVariable('table', 'gradient')).toEqual(Float32Array.of(2, -2, 0, 0, 1.5, 1));
      });

      it('stay as compiled while the graph goes on growing', async () => {
        const graph = new Graph();
        const x = graph.feed('x', 'float32', [1]);
        graph.output('y', Add(x, 1));
        const program = await engine.compile(graph);
        graph.output('z', Add(x, graph.feed('later', 'float32', [1])));
        expect(await program.run({ x: float32([1], [1]) })).toEqual({ y: float32([1], [2]) });
      });

      it('answer calls that overlap, each with its own result, in the order of the calls', async () => {
        await engine.createVariables(specs({ w: [1] }));
        const program = await linearLoss(engine, 'w', 1);
        const losses = await Promise.all(
          Array.from({ length: 20 }, async (_, i) => {
            const writing = engine.writeVariable('w', 'value', Float32Array.of(i));
            const { loss } = await program.run({ x: float32([1], [2]) });
            await writing;
            return loss!.data[0];
          }),
        );
        expect(losses).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i));
      });

      it('do not disturb one another, and go away alone', async () => {
        const programs = await Promise.all(
          [1, 2].map((step) => {
            const graph = new Graph();
            graph.output('y', Add(graph.feed('x', 'float32', [1]), step));
            return engine.compile(graph);
          }),
        );
        const [first, second] = programs as [Program, Program];
        await first.dispose();
        expect((await failure(first.run({ x: float32([1], [1]) }))).message).toBe('the program was disposed of');
        expect(await second.run({ x: float32([1], [1]) })).toEqual({ y: float32([1], [3]) });
      });

      it('are refused over variables that the engine has not, or has otherwise', async () => {
        await engine.createVariables([...specs({ w: [2, 3] }), { name: 'frozen', dims: [2], trainable: false }]);
        const compile = (build: (graph: Graph) => Value): Promise<Program> => {
          const graph = new Graph();
          const loss = sumAll(build(graph));
          addGradients(graph, loss);
          return engine.compile(graph);
        };
        expect((await failure(compile((graph) => graph.variable('v', [2])))).message).toBe('unknown variable v');
        expect((await failure(compile((graph) => graph.variable('w', [3, 2])))).message).toBe(
          'variable w: the graph says [3,2], the engine [2,3]',
        );
        expect((await failure(compile((graph) => graph.variable('frozen', [2])))).message).toContain('not trainable');
      });

      it('are refused with an operator that the engine has not, by its name', async () => {
        const graph = new Graph();
        const x = graph.feed('x', 'float32', [1]);
        graph.output('y', graph.node('Frobnicate', [x], [x])[0]!);
        expect((await failure(engine.compile(graph))).message).toContain('Frobnicate');
      });

      it('refuse feeds that are missing, unknown, or of another shape or type', async () => {
        const graph = new Graph();
        const x = graph.feed('x', 'float32', ['n', 2]);
        graph.output('y', Add(x, graph.feed('z', 'float32', ['n', 1])));
        const program = await engine.compile(graph);
        const good = { x: float32([2, 2], [1, 2, 3, 4]), z: float32([2, 1], [10, 20]) };
        const cases: [Record<string, Tensor>, string][] = [
          [{ x: good.x }, 'the feed z is missing'],
          [{ ...good, u: good.x }, 'unknown feed u'],
          [{ ...good, x: float32([4], [1, 2, 3, 4]) }, 'feed x: float32 [n, 2] expected, got float32 [4]'],
          [{ ...good, x: float32([4, 1], [1, 2, 3, 4]) }, 'feed x: float32 [n = 4, 2] expected, got float32 [4, 1]'],
          [{ ...good, z: float32([1, 1], [1]) }, 'feed z: float32 [n = 2, 1] expected, got float32 [1, 1]'],
          [{ ...good, z: int64([1, 2]) }, 'feed z: float32 [n = 2, 1] expected, got int64 [2]'],
          [{ ...good, x: float32([2, 2], [1, 2, 3]) }, 'feed x: [2,2] has 4 elements, got 3'],
          [
            { ...good, x: { dtype: 'float32', dims: [2, 2], data: new Int32Array(4) } },
            'feed x: float32 is given as Float32Array',
          ],
        ];
        for (const [feeds, message] of cases) expect((await failure(program.run(feeds))).message).toBe(message);
        expect(await program.run(good)).toEqual({ y: float32([2, 2], [11, 12, 23, 24]) });
      });

      it('fail alone when a run fails inside, and run again', async () => {
        const graph = new Graph();
        graph.output('y', Gather(graph.feed('x', 'float32', [2]), graph.feed('ids', 'int64', ['n'])));
        const program = await engine.compile(graph);
        const x = float32([2], [5, 6]);
        await failure(program.run({ x, ids: int64([7]) }));
        expect(await program.run({ x, ids: int64([1, 1]) })).toEqual({ y: float32([2], [6, 6]) });
      });
    });

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

    describe('AdamW', () => {
      it('moves by the learning rate against the sign of the gradient in the first step', async () => {
        // m/(1 − β₁) = g and v/(1 − β₂) = g², so the step is lr·g/|g|.
        await engine.createVariables(specs({ w: [3] }));
        await engine.writeVariable('w', 'gradient', Float32Array.of(0.5, -20, 0));
        const { gradientNorm } = await engine.adamW(plainStep);
        expect(gradientNorm).toBeCloseTo(Math.hypot(0.5, 20), 4);
        const value = await engine.readVariable('w', 'value');
        expect(value[0]).toBeCloseTo(-0.1, 6);
        expect(value[1]).toBeCloseTo(0.1, 6);
        expect(value[2]).toBe(0);
        const first = await engine.readVariable('w', 'firstMoment');
        const second = await engine.readVariable('w', 'secondMoment');
        [0.05, -2, 0].forEach((moment, i) => {
          expect(first[i]).toBeCloseTo(moment, 6);
        });
        expect(Math.abs(second[0]! / 0.00025 - 1)).toBeLessThan(1e-6);
        expect(Math.abs(second[1]! / 0.4 - 1)).toBeLessThan(1e-6);
        expect(second[2]).toBe(0);
      });

      it('follows the closed form over several steps, with decay but for the variables without it', async () => {
        const step: AdamWStep = { ...plainStep, learningRate: 0.01, weightDecay: 0.1, withoutDecay: new Set(['bias']) };
        const starts = Float32Array.of(1, -2, 0.5, 3, -0.25);
        await engine.createVariables(specs({ weight: [5], bias: [5] }));
        const gradients = [0.3, -1.5, 2, 0.01, -0.7, 0.4];
        const scales = [1, -1, 10, 0.001, 0];
        const expected = (decay: number): number[][] =>
          [...starts].map((start, i) =>
            adamWByHand(
              start,
              gradients.map((g) => Math.fround(g * scales[i]!)),
              step,
              decay,
            ),
          );
        for (const name of ['weight', 'bias']) await engine.writeVariable(name, 'value', starts);
        for (const [t, gradient] of gradients.entries()) {
          for (const name of ['weight', 'bias']) {
            const data = Float32Array.from(scales, (scale) => gradient * scale);
            await engine.writeVariable(name, 'gradient', data);
          }
          await engine.adamW({ ...step, step: t + 1 });
          for (const [name, decay] of [
            ['weight', 0.1],
            ['bias', 0],
          ] as const) {
            const value = await engine.readVariable(name, 'value');
            expected(decay).forEach((trajectory, i) => {
              expect(Math.abs(value[i]! - trajectory[t]!)).toBeLessThan(2e-6 * Math.max(1, Math.abs(starts[i]!)));
            });
          }
        }
        expect((await engine.readVariable('bias', 'value'))[4]).toBe(starts[4]);
      });

      it('clips to the global norm over all variables, and says the norm before', async () => {
        await engine.createVariables(specs({ a: [2], b: [1] }));
        await engine.writeVariable('a', 'gradient', Float32Array.of(2, 3));
        await engine.writeVariable('b', 'gradient', Float32Array.of(6));
        const { gradientNorm } = await engine.adamW({ ...plainStep, maxGradientNorm: 0.7 });
        expect(gradientNorm).toBeCloseTo(7, 5);
        const a = await engine.readVariable('a', 'firstMoment');
        const b = await engine.readVariable('b', 'firstMoment');
        [...a, ...b].forEach((moment, i) => {
          expect(moment / (0.1 * 0.1 * [2, 3, 6][i]!)).toBeCloseTo(1, 5);
        });
        expect(await engine.readVariable('a', 'gradient')).toEqual(Float32Array.of(2, 3));
      });

      it('leaves gradients below the limit as they are', async () => {
        await engine.createVariables(specs({ w: [1] }));
        await engine.writeVariable('w', 'gradient', Float32Array.of(0.5));
        await engine.adamW({ ...plainStep, maxGradientNorm: 0.6 });
        expect((await engine.readVariable('w', 'firstMoment'))[0]).toBeCloseTo(0.05, 7);
      });

      it('touches only variables that have a gradient', async () => {
        const names = ['w', 'idle'];
        await engine.createVariables([
          ...specs({ w: [1], idle: [1] }),
          { name: 'frozen', dims: [1], trainable: false },
        ]);
        for (const name of [...names, 'frozen']) await engine.writeVariable(name, 'value', Float32Array.of(1));
        const program = await linearLoss(engine, 'w', 1);
        await program.run({ x: float32([1], [2]) });
        const { gradientNorm } = await engine.adamW({ ...plainStep, weightDecay: 0.5 });
        expect(gradientNorm).toBe(2);
        expect((await engine.readVariable('w', 'value'))[0]).toBeCloseTo(0.95 - 0.1, 6);
        for (const name of ['idle', 'frozen']) {
          expect(await engine.readVariable(name, 'value')).toEqual(Float32Array.of(1));
        }
      });

      it('changes nothing when the gradient is not finite', async () => {
        await engine.createVariables(specs({ w: [2], v: [1] }));
        await engine.writeVariable('w', 'value', Float32Array.of(1, 2));
        await engine.writeVariable('v', 'gradient', Float32Array.of(1));
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
          await engine.writeVariable('w', 'gradient', Float32Array.of(1, bad));
          const { gradientNorm } = await engine.adamW({ ...plainStep, weightDecay: 0.1, maxGradientNorm: 1 });
          expect(Number.isFinite(gradientNorm)).toBe(false);
          expect(await engine.readVariable('w', 'value')).toEqual(Float32Array.of(1, 2));
          expect(await engine.readVariable('w', 'secondMoment')).toEqual(new Float32Array(2));
          expect(await engine.readVariable('v', 'firstMoment')).toEqual(new Float32Array(1));
        }
      });

      it('lowers a loss when it is repeated', async () => {
        await engine.createVariables(specs({ w: [4] }));
        await engine.writeVariable('w', 'value', Float32Array.of(1, -1, 2, 0.5));
        const graph = new Graph();
        const distance = Add(graph.variable('w', [4]), graph.feed('x', 'float32', [4]));
        const loss = sumAll(Mul(distance, distance));
        graph.output('loss', loss);
        addGradients(graph, loss);
        const program = await engine.compile(graph);
        const losses: number[] = [];
        for (let step = 1; step <= 40; step++) {
          const result = await program.run({ x: float32([4], [-0.5, 0.5, -1, 0]) });
          losses.push(Number(result.loss!.data[0]));
          await engine.adamW({ ...plainStep, step, learningRate: 0.05 });
        }
        expect(losses[0]).toBeCloseTo(1.75, 6);
        expect(losses.at(-1)).toBeLessThan(0.05);
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
