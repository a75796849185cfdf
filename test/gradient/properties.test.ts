/** Gradients of operators on random shapes, and of random chains of operators, against finite differences. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addGradients } from '../../src/compute/graph/autodiff.ts';
import { Graph, type Value } from '../../src/compute/graph/graph.ts';
import * as ops from '../../src/compute/graph/ops/index.ts';
import type { Tensor } from '../../src/compute/runtime/engine.ts';
import { interpret } from '../../src/compute/runtime/reference/interpret.ts';
import { fromTensor } from '../../src/compute/runtime/reference/tensor.ts';
import { broadcastPair } from './cases/elementwise.ts';
import { checkGradients } from './check-gradients.ts';
import { caseLoss } from './op-case.ts';

const size = fc.integer({ min: 1, max: 3 });
/** Numbers apart from zero, where Div and the like have poles. */
const number = fc.integer({ min: 5, max: 25 }).chain((x) => fc.constantFrom(x / 10, -x / 10));

function tensor(dims: readonly number[]): fc.Arbitrary<Tensor> {
  const length = dims.reduce((product, dim) => product * dim, 1);
  return fc
    .array(number, { minLength: length, maxLength: length })
    .map((values) => ({ dtype: 'float32', dims, data: Float32Array.from(values) }));
}

function check(
  variables: Record<string, Tensor>,
  build: (variables: Record<string, Value>) => readonly Value[],
  tolerance = 1e-6,
): void {
  const graph = new Graph();
  const values = Object.entries(variables).map(([name, { dims }]) => [name, graph.variable(name, dims)] as const);
  const loss = caseLoss(build(Object.fromEntries(values)));
  addGradients(graph, loss);
  checkGradients({ graph, loss, variables, feeds: {} }, { tolerance });
}

describe('gradients on random shapes', () => {
  const operators = [ops.Add, ops.Sub, ops.Mul, ops.Div];

  it('of operators that broadcast', () => {
    const problem = broadcastPair.chain(([a, b]) => fc.tuple(fc.constantFrom(...operators), tensor(a), tensor(b)));
    fc.assert(
      fc.property(problem, ([op, a, b]) => {
        check({ a, b }, (at) => [op(at.a!, at.b!)]);
      }),
      { numRuns: 60 },
    );
  });

  it('of matrix products', () => {
    const problem = fc
      .record({
        lead: fc.array(size, { maxLength: 2 }),
        rows: size,
        inner: size,
        columns: size,
        transA: fc.boolean(),
        transB: fc.boolean(),
        alpha: fc.constantFrom(1, 0.5, -2),
      })
      .chain(({ lead, rows, inner, columns, ...options }) =>
        fc.tuple(
          tensor([...lead, ...(options.transA ? [inner, rows] : [rows, inner])]),
          tensor([...lead, ...(options.transB ? [columns, inner] : [inner, columns])]),
          fc.constant(options),
        ),
      );
    fc.assert(
      fc.property(problem, ([a, b, options]) => {
        check({ a, b }, (at) => [ops.MatMul(at.a!, at.b!, options)]);
      }),
      { numRuns: 40 },
    );
  });

  it('of reductions over any axes, and of the gathering of any rows', () => {
    const problem = fc.array(size, { minLength: 1, maxLength: 3 }).chain((dims) =>
      fc.tuple(
        tensor(dims),
        fc.uniqueArray(fc.integer({ min: 0, max: dims.length - 1 }), { minLength: 1 }),
        fc.boolean(),
        fc
          .nat(dims.length - 1)
          .chain((axis) =>
            fc.tuple(
              fc.constant(axis),
              fc.array(fc.integer({ min: -dims[axis]!, max: dims[axis]! - 1 }), { maxLength: 5 }),
            ),
          ),
      ),
    );
    fc.assert(
      fc.property(problem, ([x, axes, keepdims, [axis, ids]]) => {
        check({ x }, (at) => [
          ops.ReduceSum(at.x!, axes, keepdims),
          ops.ReduceMean(at.x!, axes, keepdims),
          ops.Gather(at.x!, at.x!.graph.int64(ids), axis),
        ]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('gradients of random chains of operators', () => {
  /** Steps that keep a matrix a matrix of the same shape, and its numbers moderate. */
  const steps: readonly ((x: Value, earlier: Value) => Value)[] = [
    (x) => ops.Tanh(x),
    (x) => ops.Gelu(x),
    (x) => ops.Softmax(x),
    (x) => ops.Neg(x),
    (x, earlier) => ops.Add(x, earlier),
    (x, earlier) => ops.Mul(x, ops.Tanh(earlier)),
    (x, earlier) => ops.Sub(earlier, x),
    (x) => ops.Transpose(ops.Transpose(x, [1, 0]), [1, 0]),
    (x) => ops.Sub(x, ops.ReduceMean(x, [1], true)),
    (x, earlier) => ops.MatMul(ops.Softmax(ops.MatMul(x, earlier, { transB: true, alpha: 0.5 })), earlier),
    (x) => ops.Concat([ops.sliceRows(x, 1, 3), ops.sliceRows(x, 0, 1)], 0, 3),
    (x) => ops.Gather(x, x.graph.int64([2, 2, 0])),
  ];

  it('where each step may use any value before it', () => {
    const chain = fc.array(fc.tuple(fc.nat(steps.length - 1), fc.nat()), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(tensor([3, 2]), chain, (x, chosen) => {
        check(
          { x },
          (at) => {
            const values = [at.x!];
            for (const [step, earlier] of chosen) {
              values.push(steps[step]!(values.at(-1)!, values[earlier % values.length]!));
            }
            return [values.at(-1)!];
            // The fifth derivative of a composed function can be large where its gradient is small: 1.2e-6 was seen.
          },
          1e-4,
        );
      }),
      { numRuns: 60 },
    );
  });
});

describe('laws of the reference operators', () => {
  const evaluate = (inputs: readonly Tensor[], build: (...values: Value[]) => Value): Float64Array => {
    const graph = new Graph();
    const names = inputs.map((_, i) => `x${i}`);
    const result = build(...inputs.map(({ dtype, dims }, i) => graph.feed(names[i]!, dtype, dims)));
    const values = interpret(graph, new Map(inputs.map((input, i) => [names[i]!, fromTensor(input)])));
    return values.get(result.name)!.data;
  };
  const matrix = fc.tuple(size, size).chain(tensor);

  it('Softmax sums to one and is the exponential of LogSoftmax', () => {
    fc.assert(
      fc.property(matrix, (x) => {
        const softmax = evaluate([x], (v) => ops.Softmax(v));
        const exponential = evaluate([x], (v) => ops.Exp(ops.LogSoftmax(v)));
        const totals = evaluate([x], (v) => ops.ReduceSum(ops.Softmax(v), [1], false));
        softmax.forEach((p, i) => {
          expect(p).toBeCloseTo(exponential[i]!, 14);
        });
        for (const total of totals) expect(total).toBeCloseTo(1, 14);
      }),
    );
  });

  it('(a·b)ᵀ = bᵀ·aᵀ', () => {
    const pair = fc
      .tuple(size, size, size)
      .chain(([rows, inner, columns]) => fc.tuple(tensor([rows, inner]), tensor([inner, columns])));
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const left = evaluate([a, b], (x, y) => ops.Transpose(ops.MatMul(x, y), [1, 0]));
        const right = evaluate([a, b], (x, y) => ops.MatMul(y, x, { transA: true, transB: true }));
        expect([...left]).toEqual([...right]);
      }),
    );
  });

  it('what NonZero finds, GatherND takes and ScatterND puts back', () => {
    fc.assert(
      fc.property(matrix, (x) => {
        const rebuilt = evaluate([x], (v) => {
          const kept = ops.Relu(v);
          const found = ops.Transpose(ops.NonZero(kept, 'count'), [1, 0]);
          const empty = ops.ConstantOfShape(ops.Shape(v), v.dims, 0);
          return ops.ScatterND(empty, found, ops.GatherND(v, found), 'none');
        });
        expect([...rebuilt]).toEqual([...evaluate([x], (v) => ops.Relu(v))]);
      }),
    );
  });
});
