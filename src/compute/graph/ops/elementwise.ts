/** Element-wise ONNX operators with broadcasting, each with its vector-Jacobian product. */
import { LexrayError } from '../../../util/errors.ts';
import type { Value } from '../graph.ts';
import { broadcastAxes, broadcastDims } from '../shape.ts';
import { Cast } from './cast.ts';
import { ReduceSum } from './reduction.ts';

/** An operand: a value, or a number that becomes a float32 scalar. */
export type Operand = Value | number;

/** a + b */
export function Add(a: Value, b: Operand): Value {
  return binary('Add', a, b, (gradient) => [() => gradient, () => gradient]);
}

/** a − b */
export function Sub(a: Value, b: Operand): Value {
  return binary('Sub', a, b, (gradient) => [() => gradient, () => Neg(gradient)]);
}

/** a · b */
export function Mul(a: Value, b: Operand): Value {
  return binary('Mul', a, b, (gradient, x, y) => [() => Mul(gradient, y), () => Mul(gradient, x)]);
}

/** a / b */
export function Div(a: Value, b: Operand): Value {
  return binary('Div', a, b, (gradient, x, y) => [() => Div(gradient, y), () => Neg(Div(Mul(gradient, x), Mul(y, y)))]);
}

/** −x */
export function Neg(x: Value): Value {
  return unary('Neg', x, (gradient) => Neg(gradient));
}

/** eˣ */
export function Exp(x: Value): Value {
  return unary('Exp', x, (gradient, _, y) => Mul(gradient, y));
}

/** ln x */
export function Log(x: Value): Value {
  return unary('Log', x, (gradient) => Div(gradient, x));
}

/** √x */
export function Sqrt(x: Value): Value {
  return unary('Sqrt', x, (gradient, _, y) => Div(Mul(gradient, 0.5), y));
}

/** The error function. */
export function Erf(x: Value): Value {
  return unary('Erf', x, (gradient) => Mul(gradient, Mul(Exp(Neg(Mul(x, x))), 2 / Math.sqrt(Math.PI))));
}

/** tanh x */
export function Tanh(x: Value): Value {
  return unary('Tanh', x, (gradient, _, y) => Mul(gradient, Neg(Sub(Mul(y, y), 1))));
}

/** cos x */
export function Cos(x: Value): Value {
  return unary('Cos', x, (gradient) => Neg(Mul(gradient, Sin(x))));
}

/** sin x */
export function Sin(x: Value): Value {
  return unary('Sin', x, (gradient) => Mul(gradient, Cos(x)));
}

/** max(x, 0); the gradient at 0 is 0. */
export function Relu(x: Value): Value {
  return unary('Relu', x, (gradient) => Mul(gradient, Cast(Greater(x, 0), 'float32')));
}

/** a > b, as bool. */
export function Greater(a: Value, b: Operand): Value {
  const right = operand(a, b);
  const dims = broadcastDims('Greater', a.dims, right.dims);
  return a.graph.node('Greater', [a, right], [{ dtype: 'bool', dims }])[0]!;
}

/** Adds a gradient to what has been accumulated, summed over the axes along which the input was broadcast. */
export function accumulate(
  input: Value,
  outputDims: Value['dims'],
  build: () => Value,
): (accumulated: Value | undefined) => Value {
  return (accumulated) => {
    let gradient = build();
    const axes = broadcastAxes(input.dims, outputDims);
    const leading = outputDims.length - input.dims.length;
    const kept = axes.filter((axis) => axis >= leading);
    if (kept.length > 0) gradient = ReduceSum(gradient, kept, true);
    const dropped = axes.filter((axis) => axis < leading);
    if (dropped.length > 0) gradient = ReduceSum(gradient, dropped, false);
    return accumulated === undefined ? gradient : Add(accumulated, gradient);
  };
}

function operand(a: Value, b: Operand): Value {
  return typeof b === 'number' ? a.graph.scalar(b) : b;
}

function binary(
  op: string,
  a: Value,
  b: Operand,
  vjp: (gradient: Value, x: Value, y: Value) => readonly [() => Value, () => Value],
): Value {
  const graph = a.graph;
  const right = operand(a, b);
  if (a.dtype !== right.dtype) throw new LexrayError('FAILED', `${op}: types ${a.dtype} and ${right.dtype} differ`);
  const dims = broadcastDims(op, a.dims, right.dims);
  const [y] = graph.node(op, [a, right], [{ dtype: a.dtype, dims }]) as [Value];
  if (a.dtype === 'float32') {
    graph.differentiate({
      inputs: [a, right],
      outputs: [y],
      backward: ([gradient]) => {
        const [left, other] = vjp(gradient!, a, right);
        return [accumulate(a, dims, left), accumulate(right, dims, other)];
      },
    });
  }
  return y;
}

function unary(op: string, x: Value, vjp: (gradient: Value, x: Value, y: Value) => Value): Value {
  const [y] = x.graph.node(op, [x], [{ dtype: x.dtype, dims: x.dims }]) as [Value];
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [accumulate(x, x.dims, () => vjp(gradient!, x, y))],
  });
  return y;
}
