/** What the parts of the engines' conformance suite share: tensors, a small program, and the check of failures. */
import { expect } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { addGradients } from '../graph/autodiff.ts';
import { Graph } from '../graph/graph.ts';
import { Mul, sumAll } from '../graph/ops/index.ts';
import type { AdamWStep, Engine, Program, Tensor, VariablePart, VariableSpec } from './engine.ts';

/** All parts of a variable. */
export const parts: readonly VariablePart[] = ['value', 'gradient', 'firstMoment', 'secondMoment'];

/** A first step of AdamW without decay or clipping. */
export const plainStep: AdamWStep = {
  step: 1,
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  withoutDecay: new Set(),
  maxGradientNorm: undefined,
};

/** A float32 tensor. */
export function float32(dims: readonly number[], values: readonly number[]): Tensor {
  return { dtype: 'float32', dims, data: Float32Array.from(values) };
}

/** An int64 vector. */
export function int64(values: readonly number[]): Tensor {
  return { dtype: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) };
}

/** Trainable variables of the given shapes. */
export function specs(dims: Readonly<Record<string, readonly number[]>>): VariableSpec[] {
  return Object.entries(dims).map(([name, shape]) => ({ name, dims: shape, trainable: true }));
}

/** A program with the loss Σ x·w over a feed x, so that the gradient of w is x. */
export async function linearLoss(engine: Engine, name: string, size: number): Promise<Program> {
  const graph = new Graph();
  const loss = sumAll(Mul(graph.variable(name, [size]), graph.feed('x', 'float32', [size])));
  graph.output('loss', loss);
  addGradients(graph, loss);
  return engine.compile(graph);
}

/** The error of a call that must fail. */
export async function failure(promise: Promise<unknown>): Promise<LexrayError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LexrayError);
  return error as LexrayError;
}
