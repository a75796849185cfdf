/**
 * Tensors of the reference engine: row-major numbers of any element type in a Float64Array. Integers up to 2⁵³ are
 * exact in it, which is more than shapes and indices need; booleans are 0 and 1.
 */
import type { DataType } from '../../graph/graph.ts';
import type { Tensor, TensorData } from '../engine.ts';

/** A tensor inside the reference engine. */
export interface ReferenceTensor {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: Float64Array;
}

/** Number of elements of a shape. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** How far apart in the data neighbours along each axis are. */
export function stridesOf(dims: readonly number[]): number[] {
  return dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));
}

/** A tensor whose element at each coordinate is computed. */
export function tensorFrom(
  dtype: DataType,
  dims: readonly number[],
  element: (coordinate: readonly number[]) => number,
): ReferenceTensor {
  const data = new Float64Array(sizeOf(dims));
  const coordinate = dims.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = element(coordinate);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      coordinate[axis] = coordinate[axis]! + 1;
      if (coordinate[axis]! < dims[axis]!) break;
      coordinate[axis] = 0;
    }
  }
  return { dtype, dims, data };
}

/** An int64 vector. */
export function int64Vector(values: readonly number[]): ReferenceTensor {
  return { dtype: 'int64', dims: [values.length], data: Float64Array.from(values) };
}

/** The element of x at a coordinate; the coordinate's last entries count where it is longer, and axes of size 1 repeat. */
export function elementAt(x: ReferenceTensor, coordinate: readonly number[]): number {
  const extra = coordinate.length - x.dims.length;
  let offset = 0;
  for (let axis = 0; axis < x.dims.length; axis++) {
    const size = x.dims[axis]!;
    offset = offset * size + (size === 1 ? 0 : coordinate[axis + extra]!);
  }
  return x.data[offset]!;
}

/** The shape of an element-wise result, right-aligned, where 1 stretches to any size; undefined when shapes do not fit. */
export function broadcastSizes(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const sizes = Array.from({ length: rank }, (_, i): [number, number] => [
    a[i - rank + a.length] ?? 1,
    b[i - rank + b.length] ?? 1,
  ]);
  if (sizes.some(([x, y]) => x !== y && x !== 1 && y !== 1)) return undefined;
  return sizes.map(([x, y]) => (x === 1 ? y : x));
}

/** A copy of a tensor from outside. */
export function fromTensor(tensor: {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}): ReferenceTensor {
  return {
    dtype: tensor.dtype,
    dims: [...tensor.dims],
    data: Float64Array.from(tensor.data as ArrayLike<number | bigint>, Number),
  };
}

/** A copy of a tensor for outside, in its own element type. */
export function toTensor({ dtype, dims, data }: ReferenceTensor): Tensor {
  return { dtype, dims: [...dims], data: toData(dtype, data) };
}

function toData(dtype: DataType, data: Float64Array): TensorData {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(data);
    case 'int64':
      return BigInt64Array.from(data as unknown as number[], BigInt);
    case 'int32':
      return Int32Array.from(data);
    case 'bool':
      return Uint8Array.from(data);
  }
}
