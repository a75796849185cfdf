/** All operators that the reference engine computes. */
import { LexrayError } from '../../../util/errors.ts';
import type { GraphNode } from '../../graph/graph.ts';
import { activationKernels } from './activation.ts';
import { castKernels } from './cast.ts';
import { constantKernels } from './constant.ts';
import { elementwiseKernels } from './elementwise.ts';
import { indexingKernels } from './indexing.ts';
import type { Kernel, Kernels } from './kernel.ts';
import { linearAlgebraKernels } from './linear-algebra.ts';
import { movementKernels } from './movement.ts';
import { normalizationKernels } from './normalization.ts';
import { reductionKernels } from './reduction.ts';
import { rotaryKernels } from './rotary.ts';
import { topKKernels } from './top-k.ts';

/** Kernels by operator. */
export const referenceKernels: Kernels = {
  ...activationKernels,
  ...castKernels,
  ...constantKernels,
  ...elementwiseKernels,
  ...indexingKernels,
  ...linearAlgebraKernels,
  ...movementKernels,
  ...normalizationKernels,
  ...reductionKernels,
  ...rotaryKernels,
  ...topKKernels,
};

/**
 * The kernel of a node.
 * @throws LexrayError for an operator, or an attribute of it, that the reference engine does not know
 */
export function kernelFor(node: GraphNode): Kernel {
  const name = node.domain === '' ? node.op : `${node.domain}.${node.op}`;
  const kernel = Object.hasOwn(referenceKernels, name) ? referenceKernels[name] : undefined;
  if (kernel === undefined) throw new LexrayError('FAILED', `the reference engine has no operator ${name}`);
  const strange = Object.keys(node.attributes).find((attribute) => !kernel.attributes.includes(attribute));
  if (strange !== undefined) {
    throw new LexrayError('FAILED', `the reference engine's ${name} does not know the attribute ${strange}`);
  }
  return kernel;
}
