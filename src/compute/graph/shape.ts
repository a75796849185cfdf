/** Rules for symbolic shapes: broadcasting as in ONNX (right-aligned), axes, and the reverse of broadcasting. */
import { LexrayError } from '../../util/errors.ts';
import type { Dimension, Dimensions } from './graph.ts';

/** The shape of an element-wise result. Different names are never equal; a name broadcasts with 1 only. */
export function broadcastDims(op: string, a: Dimensions, b: Dimensions): Dimension[] {
  const rank = Math.max(a.length, b.length);
  const result: Dimension[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new LexrayError('FAILED', `${op}: shapes [${a}] and [${b}] do not broadcast`);
    }
    result.push(x === 1 ? y : x);
  }
  return result;
}

/** The axes of `to` along which a value of shape `from` was repeated. */
export function broadcastAxes(from: Dimensions, to: Dimensions): number[] {
  const axes: number[] = [];
  for (let i = 0; i < to.length; i++) {
    const dim = from[i - to.length + from.length];
    if (dim === undefined || (dim === 1 && to[i] !== 1)) axes.push(i);
  }
  return axes;
}

/** A non-negative axis. */
export function normalAxis(op: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(normal) || normal < 0 || normal >= rank) {
    throw new LexrayError('FAILED', `${op}: axis ${axis} is outside rank ${rank}`);
  }
  return normal;
}

/** Throws unless the rank is as expected. */
export function expectRank(op: string, dims: Dimensions, rank: number): void {
  if (dims.length !== rank) throw new LexrayError('FAILED', `${op}: rank ${rank} expected, got [${dims}]`);
}

/** Throws unless two dimensions are the same number or the same name. */
export function expectSame(op: string, a: Dimension | undefined, b: Dimension | undefined): void {
  if (a !== b) throw new LexrayError('FAILED', `${op}: dimensions ${a} and ${b} differ`);
}
