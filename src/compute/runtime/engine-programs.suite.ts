/** The conformance suite of engines: programs. */
import { describe, expect, it } from 'vitest';
import { addGradients } from '../graph/autodiff.ts';
import { Graph, type Value } from '../graph/graph.ts';
import { Add, Gather, Linear, Mul, ReduceSum, Relu, sumAll } from '../graph/ops/index.ts';
import type { Engine, Program, Tensor } from './engine.ts';
import { failure, float32, int64, linearLoss, specs } from './engine-fixtures.suite.ts';

/** Programs of an engine: compiled, run, refused, disposed of. */
export function describePrograms(engine: () => Engine): void {
  describe('programs', () => {
    it('return outputs of every type and keep symbolic sizes free', async () => {
      const graph = new Graph();
      const x = graph.feed('x', 'float32', ['n', 2]);
      graph.output('double', Mul(x, 2));
      graph.output('total', ReduceSum(x, [0, 1], false));
      graph.output('same ids', graph.feed('ids', 'int64', ['m']));
      graph.output('same flags', graph.feed('flags', 'bool', [2]));
      graph.output('same small', graph.feed('small', 'int32', [1]));
      const program = await engine().compile(graph);
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
      await engine().createVariables(specs({ w: [2] }));
      await engine().writeVariable('w', 'value', Float32Array.of(3, 4));
      const graph = new Graph();
      graph.output('variable', graph.variable('w', [2]));
      graph.output('constant', graph.scalar(5));
      const program = await engine().compile(graph);
      expect(await program.run({})).toEqual({ variable: float32([2], [3, 4]), constant: float32([], [5]) });
    });

    it('take feeds that are views into larger arrays', async () => {
      const graph = new Graph();
      graph.output('y', Add(graph.feed('x', 'float32', ['n']), 1));
      const program = await engine().compile(graph);
      const large = Float32Array.of(9, 1, 2, 9);
      const x: Tensor = { dtype: 'float32', dims: [2], data: large.subarray(1, 3) };
      expect(await program.run({ x })).toEqual({ y: float32([2], [2, 3]) });
      expect(await program.run({ x })).toEqual({ y: float32([2], [2, 3]) });
    });

    it('see variables as they are at the run', async () => {
      await engine().createVariables(specs({ w: [2] }));
      const program = await linearLoss(engine(), 'w', 2);
      for (const value of [1, 2]) {
        await engine().writeVariable('w', 'value', Float32Array.of(value, value));
        expect(await program.run({ x: float32([2], [1, 10]) })).toEqual({ loss: float32([], [11 * value]) });
      }
    });

    it('leave gradients in the engine(), replaced by each run', async () => {
      await engine().createVariables(specs({ w: [2], other: [2] }));
      await engine().writeVariable('other', 'gradient', Float32Array.of(5, 5));
      const program = await linearLoss(engine(), 'w', 2);
      expect(await engine().readVariable('w', 'gradient')).toEqual(new Float32Array(2));
      for (const x of [
        [1, 2],
        [3, 4],
      ]) {
        expect(Object.keys(await program.run({ x: float32([2], x) }))).toEqual(['loss']);
        expect(await engine().readVariable('w', 'gradient')).toEqual(Float32Array.from(x));
      }
      expect(await engine().readVariable('other', 'gradient')).toEqual(Float32Array.of(5, 5));
      expect(await engine().readVariable('w', 'value')).toEqual(new Float32Array(2));
    });

    it('run a small network forward and back', async () => {
      await engine().createVariables(specs({ table: [3, 2], weight: [2, 2], bias: [2] }));
      await engine().writeVariable('table', 'value', Float32Array.of(1, 2, 3, 4, 5, 6));
      await engine().writeVariable('weight', 'value', Float32Array.of(1, -1, 0.5, 2));
      await engine().writeVariable('bias', 'value', Float32Array.of(0.5, -20));
      const graph = new Graph();
      const rows = Gather(graph.variable('table', [3, 2]), graph.feed('ids', 'int64', ['n']));
      const hidden = Relu(Linear(rows, graph.variable('weight', [2, 2]), graph.variable('bias', [2])));
      const loss = sumAll(Add(hidden, 0));
      graph.output('hidden', hidden);
      addGradients(graph, loss);
      const program = await engine().compile(graph);
      // Rows (1,2), (5,6), (1,2): x₀ − x₁ + .5 = −.5 each; .5x₀ + 2x₁ − 20 = −15.5, −5.5, −15.5. Nothing is active.
      const none = await program.run({ ids: int64([0, 2, 0]) });
      expect(none.hidden).toEqual(float32([3, 2], [0, 0, 0, 0, 0, 0]));
      expect(await engine().readVariable('table', 'gradient')).toEqual(new Float32Array(6));
      // With the bias (2, −10): first column 1 in each row, second −5.5, 4.5, −5.5.
      await engine().writeVariable('bias', 'value', Float32Array.of(2, -10));
      const some = await program.run({ ids: int64([0, 2, 0]) });
      expect(some.hidden).toEqual(float32([3, 2], [1, 0, 1, 4.5, 1, 0]));
      expect(await engine().readVariable('bias', 'gradient')).toEqual(Float32Array.of(3, 1));
      expect(await engine().readVariable('weight', 'gradient')).toEqual(Float32Array.of(7, 10, 5, 6));
      expect(await engine().readVariable('table', 'gradient')).toEqual(Float32Array.of(2, -2, 0, 0, 1.5, 1));
      await program.run({ ids: int64([2]) });
      expect(await engine().readVariable('table', 'gradient')).toEqual(Float32Array.of(0, 0, 0, 0, 1.5, 1));
    });

    it('add to the gradients that are there when asked to, dense ones and those of tables', async () => {
      await engine().createVariables(specs({ table: [3, 2], bias: [2], other: [1] }));
      await engine().writeVariable('table', 'value', Float32Array.of(1, 2, 3, 4, 5, 6));
      await engine().writeVariable('other', 'gradient', Float32Array.of(7));
      const graph = new Graph();
      const rows = Gather(graph.variable('table', [3, 2]), graph.feed('ids', 'int64', ['n']));
      const loss = sumAll(Mul(Add(rows, graph.variable('bias', [2])), graph.feed('factor', 'float32', [])));
      addGradients(graph, loss);
      const program = await engine().compile(graph);
      const run = async (ids: number[], factor: number, gradients?: 'replace' | 'add'): Promise<number[][]> => {
        await program.run({ ids: int64(ids), factor: float32([], [factor]) }, gradients && { gradients });
        return Promise.all(['table', 'bias', 'other'].map(async (name) => [...(await gradientOf(name))]));
      };
      const gradientOf = (name: string): Promise<Float32Array> => engine().readVariable(name, 'gradient');
      const only = [[0, 0, 0, 0, 10, 10], [10, 10], [7]];
      expect(await run([2], 10, 'add')).toEqual(only);
      expect(await run([0, 2, 0], 3, 'add')).toEqual([[6, 6, 0, 0, 13, 13], [19, 19], [7]]);
      expect(await run([], 1, 'add')).toEqual([[6, 6, 0, 0, 13, 13], [19, 19], [7]]);
      expect(await run([2], 10, 'replace')).toEqual(only);
      expect(await run([2], 10)).toEqual(only);
    });

    it('stay as compiled while the graph goes on growing', async () => {
      const graph = new Graph();
      const x = graph.feed('x', 'float32', [1]);
      graph.output('y', Add(x, 1));
      const program = await engine().compile(graph);
      graph.output('z', Add(x, graph.feed('later', 'float32', [1])));
      expect(await program.run({ x: float32([1], [1]) })).toEqual({ y: float32([1], [2]) });
    });

    it('answer calls that overlap, each with its own result, in the order of the calls', async () => {
      await engine().createVariables(specs({ w: [1] }));
      const program = await linearLoss(engine(), 'w', 1);
      const losses = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const writing = engine().writeVariable('w', 'value', Float32Array.of(i));
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
          return engine().compile(graph);
        }),
      );
      const [first, second] = programs as [Program, Program];
      await first.dispose();
      expect((await failure(first.run({ x: float32([1], [1]) }))).message).toBe('the program was disposed of');
      expect(await second.run({ x: float32([1], [1]) })).toEqual({ y: float32([1], [3]) });
    });

    it('are refused over variables that the engine has not, or has otherwise', async () => {
      await engine().createVariables([...specs({ w: [2, 3] }), { name: 'frozen', dims: [2], trainable: false }]);
      const compile = (build: (graph: Graph) => Value): Promise<Program> => {
        const graph = new Graph();
        const loss = sumAll(build(graph));
        addGradients(graph, loss);
        return engine().compile(graph);
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
      expect((await failure(engine().compile(graph))).message).toContain('Frobnicate');
    });

    it('refuse feeds that are missing, unknown, or of another shape or type', async () => {
      const graph = new Graph();
      const x = graph.feed('x', 'float32', ['n', 2]);
      graph.output('y', Add(x, graph.feed('z', 'float32', ['n', 1])));
      const program = await engine().compile(graph);
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
      const program = await engine().compile(graph);
      const x = float32([2], [5, 6]);
      await failure(program.run({ x, ids: int64([7]) }));
      expect(await program.run({ x, ids: int64([1, 1]) })).toEqual({ y: float32([2], [6, 6]) });
    });
  });
}
