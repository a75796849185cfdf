/** Every operator of the graph in small cases, by the families of `src/compute/graph/ops`. */
import { activationCases } from './cases/activation.ts';
import { elementwiseCases } from './cases/elementwise.ts';
import { indexingCases } from './cases/indexing.ts';
import { linearAlgebraCases } from './cases/linear-algebra.ts';
import { movementCases } from './cases/movement.ts';
import { normalizationCases } from './cases/normalization.ts';
import { reductionCases } from './cases/reduction.ts';
import { rotaryCases } from './cases/rotary.ts';
import { topKCases } from './cases/top-k.ts';
import type { OpCase } from './op-case.ts';

/** All cases. */
export const opCases: readonly OpCase[] = [
  ...activationCases,
  ...elementwiseCases,
  ...indexingCases,
  ...linearAlgebraCases,
  ...movementCases,
  ...normalizationCases,
  ...reductionCases,
  ...rotaryCases,
  ...topKCases,
];
