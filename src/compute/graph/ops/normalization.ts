/** Layer normalisation and softmax. */
import type { Value } from '../graph.ts';
import { accumulate, Exp, Mul, Sub } from './elementwise.ts';
import { MatMul } from './linear-algebra.ts';
import { Reshape } from './movement.ts';
import { ReduceSum } from './reduction.ts';

/**
 * Layer normalisation over the last axis: (x − mean)/√(var + ε) · weight + bias.
 * @param x [tokens, features]
 * @param weight [features]
 * @param bias [features], if there is one
 */
export function LayerNormalization(x: Value, weight: Value, bias: Value | undefined, epsilon: number): Value {
  const [tokens, features] = x.dims as [Value['dims'][number], number];
  const graph = x.graph;
  const [y, mean, inverseDeviation] = graph.node(
    'LayerNormalization',
    bias ? [x, weight, bias] : [x, weight],
    [x, { dtype: 'float32', dims: [tokens, 1] }, { dtype: 'float32', dims: [tokens, 1] }],
    { axis: -1, epsilon: { float: epsilon } },
  ) as [Value, Value, Value];
  graph.differentiate({
    inputs: bias ? [x, weight, bias] : [x, weight],
    outputs: [y],
    backward: ([gradient]) => {
      const normal = Mul(Sub(x, mean), inverseDeviation);
      const product = Mul(gradient!, normal);
      const toX = (): Value => {
        // Means over features of g·w and of g·w·normal, as two matrix-vector products.
        const column = Mul(Reshape(weight, [features, 1]), 1 / features);
        const centre = MatMul(gradient!, column);
        const slope = MatMul(product, column);
        return Mul(Sub(Sub(Mul(gradient!, weight), centre), Mul(normal, slope)), inverseDeviation);
      };
      return [
        accumulate(x, x.dims, toX),
        accumulate(weight, weight.dims, () => ReduceSum(product, [0], false)),
        bias && accumulate(bias, bias.dims, () => ReduceSum(gradient!, [0], false)),
      ];
    },
  });
  graph.recomputed.add(y);
  return y;
}

/** Softmax over the last axis. */
export function Softmax(x: Value): Value {
  const [y] = x.graph.node('Softmax', [x], [x], { axis: -1 }) as [Value];
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [
      accumulate(x, x.dims, () => {
        const total = ReduceSum(Mul(gradient!, y), [x.dims.length - 1], true);
        return Mul(Sub(gradient!, total), y);
      }),
    ],
  });
  return y;
}

/** log(softmax) over the last axis. */
export function LogSoftmax(x: Value): Value {
  const [y] = x.graph.node('LogSoftmax', [x], [x], { axis: -1 }) as [Value];
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [
      accumulate(x, x.dims, () => Sub(gradient!, Mul(Exp(y), ReduceSum(gradient!, [x.dims.length - 1], true)))),
    ],
  });
  return y;
}
