/** All operators of the graph, named as in ONNX. */
export { activationByName, Gelu, GeluTanh } from './activation.ts';
export { Cast } from './cast.ts';
export { ConstantOfShape, Range } from './constant.ts';
export {
  Add,
  accumulate,
  Cos,
  Div,
  Erf,
  Exp,
  Greater,
  Log,
  Mul,
  Neg,
  type Operand,
  Relu,
  Sin,
  Sqrt,
  Sub,
  Tanh,
} from './elementwise.ts';
export { addRows, Gather, GatherND, type GatherOptions, NonZero, ScatterElements, ScatterND } from './indexing.ts';
export { Linear, MatMul, type MatMulOptions } from './linear-algebra.ts';
export { Concat, Expand, Reshape, Shape, Split, sliceRows, splitBlocks, Transpose, Unsqueeze } from './movement.ts';
export { LayerNormalization, LogSoftmax, Softmax } from './normalization.ts';
export { ArgMax, ReduceMax, ReduceMean, ReduceSum, sumAll } from './reduction.ts';
export { RotaryEmbedding } from './rotary.ts';
export { TopK } from './top-k.ts';
