/** Matrix products. */
import type { Dimension, Value } from '../graph.ts';
import { expectRank, expectSame } from '../shape.ts';
import { accumulate } from './elementwise.ts';
import { ReduceSum } from './reduction.ts';

/** Options of {@link MatMul}: which operand is transposed (last two axes), and a factor. */
export interface MatMulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}

/**
 * alpha · a · b over the last two axes; leading axes must be equal.
 * With a transposition or a factor this is onnxruntime's FusedMatMul.
 */
export function MatMul(a: Value, b: Value, options: MatMulOptions = {}): Value {
  const { transA = false, transB = false, alpha = 1 } = options;
  expectRank('MatMul', b.dims, a.dims.length);
  const lead = a.dims.slice(0, -2);
  lead.forEach((dim, i) => {
    expectSame('MatMul', dim, b.dims[i]);
  });
  const [rows, inner] = lastTwo(a, transA);
  const [innerB, columns] = lastTwo(b, transB);
  expectSame('MatMul', inner, innerB);
  const spec = { dtype: a.dtype, dims: [...lead, rows, columns] };
  const plain = !transA && !transB && alpha === 1;
  const attributes = { transA: transA ? 1 : 0, transB: transB ? 1 : 0, alpha: { float: alpha } };
  const [y] = (
    plain
      ? a.graph.node('MatMul', [a, b], [spec])
      : a.graph.node('FusedMatMul', [a, b], [spec], attributes, 'com.microsoft')
  ) as [Value];
  a.graph.differentiate({
    inputs: [a, b],
    outputs: [y],
    backward: ([gradient]) => [
      accumulate(a, a.dims, () =>
        transA
          ? MatMul(b, gradient!, { transA: transB, transB: true, alpha })
          : MatMul(gradient!, b, { transB: !transB, alpha }),
      ),
      accumulate(b, b.dims, () =>
        transB
          ? MatMul(gradient!, a, { transA: true, transB: transA, alpha })
          : MatMul(a, gradient!, { transA: !transA, alpha }),
      ),
    ],
  });
  return y;
}

/**
 * A linear layer as PyTorch stores it: x·Wᵀ + b (ONNX Gemm).
 * @param x [tokens, in]
 * @param weight [out, in]
 * @param bias [out]
 */
export function Linear(x: Value, weight: Value, bias?: Value): Value {
  expectRank('Gemm', x.dims, 2);
  expectSame('Gemm', x.dims[1], weight.dims[1]);
  const [y] = x.graph.node(
    'Gemm',
    bias ? [x, weight, bias] : [x, weight],
    [{ dtype: 'float32', dims: [x.dims[0]!, weight.dims[0]!] }],
    { transB: 1 },
  ) as [Value];
  x.graph.differentiate({
    inputs: bias ? [x, weight, bias] : [x, weight],
    outputs: [y],
    backward: ([gradient]) => [
      accumulate(x, x.dims, () => x.graph.node('Gemm', [gradient!, weight], [{ dtype: 'float32', dims: x.dims }])[0]!),
      (accumulated) => {
        const inputs = accumulated ? [gradient!, x, accumulated] : [gradient!, x];
        return x.graph.node('Gemm', inputs, [{ dtype: 'float32', dims: weight.dims }], { transA: 1 })[0]!;
      },
      bias && accumulate(bias, bias.dims, () => ReduceSum(gradient!, [0], false)),
    ],
  });
  return y;
}

function lastTwo(x: Value, transposed: boolean): [Dimension, Dimension] {
  const rows = x.dims.at(-2)!;
  const columns = x.dims.at(-1)!;
  return transposed ? [columns, rows] : [rows, columns];
}
