/** Activation functions. */
import { activationByName, Gelu, GeluTanh } from '../../../src/compute/graph/ops/index.ts';
import { type OpCase, smooth } from '../op-case.ts';
import { normal, unary } from './elementwise.ts';

/** All cases of the family. */
export const activationCases: readonly OpCase[] = [
  ...unary('Gelu', Gelu, normal),
  ...unary('GeluTanh', GeluTanh, normal),
  ...(['gelu', 'gelu_new', 'gelu_pytorch_tanh', 'relu'] as const).map((name) =>
    smooth('activationByName', name, (inputs) => activationByName(name)(inputs.variable('x', [2, 3]))),
  ),
  smooth('Gelu GeluTanh', 'far from zero', (inputs) => {
    const x = inputs.given('x', [8], [-8, -5, -3, -1.5, 1.5, 3, 5, 8]);
    return [Gelu(x), GeluTanh(x)];
  }),
];
