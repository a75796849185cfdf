/** What the kernels of the reference engine share: their form, and the reading of inputs and attributes. */
import { LexrayError } from '../../../util/errors.ts';
import type { GraphNode } from '../../graph/graph.ts';
import { type ReferenceTensor, sizeOf } from './tensor.ts';

/** One node with the values of its inputs. */
export interface KernelCall {
  readonly node: GraphNode;
  readonly inputs: readonly (ReferenceTensor | undefined)[];
}

/** Computes the outputs of one operator. */
export interface Kernel {
  /** The attributes it understands; a node with any other is refused rather than computed wrongly. */
  readonly attributes: readonly string[];
  compute(call: KernelCall): readonly ReferenceTensor[];
}

/** Kernels by operator; operators of another domain are named with it: `com.microsoft.FusedMatMul`. */
export type Kernels = Readonly<Record<string, Kernel>>;

/** An error about a node: the operator's name comes first. */
export function kernelError(node: GraphNode, message: string): LexrayError {
  return new LexrayError('FAILED', `${node.op}: ${message}`);
}

/** Throws unless a condition of an operator holds. */
export function expect(node: GraphNode, condition: boolean, message: string): void {
  if (!condition) throw kernelError(node, message);
}

/** An input that must be there. */
export function input(call: KernelCall, position: number): ReferenceTensor {
  const tensor = call.inputs[position];
  if (tensor === undefined) throw kernelError(call.node, `input ${position} is missing`);
  return tensor;
}

/** The numbers of an input, such as a list of axes; undefined where the input is left out. */
export function numbers(call: KernelCall, position: number): number[] | undefined {
  const tensor = call.inputs[position];
  return tensor && [...tensor.data];
}

/** An integer attribute. */
export function integer(node: GraphNode, name: string, fallback: number): number {
  const value = node.attributes[name] ?? fallback;
  if (typeof value !== 'number') throw kernelError(node, `attribute ${name} must be an integer`);
  return value;
}

/** A float attribute. */
export function float(node: GraphNode, name: string, fallback: number): number {
  const value = node.attributes[name] ?? { float: fallback };
  if (typeof value !== 'object' || !('float' in value)) throw kernelError(node, `attribute ${name} must be a float`);
  return value.float;
}

/** A string attribute. */
export function text(node: GraphNode, name: string, fallback: string): string {
  const value = node.attributes[name] ?? fallback;
  if (typeof value !== 'string') throw kernelError(node, `attribute ${name} must be a string`);
  return value;
}

/** A list of integers as attribute. */
export function integers(node: GraphNode, name: string, fallback: readonly number[]): readonly number[] {
  const value = node.attributes[name] ?? fallback;
  if (!Array.isArray(value)) throw kernelError(node, `attribute ${name} must be a list of integers`);
  return value as readonly number[];
}

/** An axis, counted from the end when negative. */
export function axisOf(node: GraphNode, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  expect(node, normal >= 0 && normal < rank, `axis ${axis} is outside rank ${rank}`);
  return normal;
}

/** An index along an axis of a given size, counted from the end when negative. */
export function indexOf(node: GraphNode, index: number, size: number): number {
  const normal = index < 0 ? index + size : index;
  expect(node, normal >= 0 && normal < size, `index ${index} is outside an axis of size ${size}`);
  return normal;
}

/** A tensor seen as [outer, size, inner] around one axis. */
export interface AxisView {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
}

/** Sizes before, along and after an axis. */
export function aroundAxis(dims: readonly number[], axis: number): AxisView {
  return { outer: sizeOf(dims.slice(0, axis)), size: dims[axis]!, inner: sizeOf(dims.slice(axis + 1)) };
}
