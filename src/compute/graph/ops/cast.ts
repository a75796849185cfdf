/** Cast between element types; no gradient flows through it. */
import type { DataType, Value } from '../graph.ts';

const onnxTypes: Record<DataType, number> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** x converted to another element type. */
export function Cast(x: Value, dtype: DataType): Value {
  return x.graph.node('Cast', [x], [{ dtype, dims: x.dims }], { to: onnxTypes[dtype] })[0]!;
}
