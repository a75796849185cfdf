/** Activation functions of encoders, by their Hugging Face names. */
import { badInput } from '../../../util/errors.ts';
import type { Value } from '../graph.ts';
import { Add, accumulate, Erf, Exp, Mul, Relu, Sub, Tanh } from './elementwise.ts';

/** x·Φ(x), the exact form with the error function (Hendrycks and Gimpel, arXiv 1606.08415). */
export function Gelu(x: Value): Value {
  const [y] = x.graph.node('Gelu', [x], [x], { approximate: 'none' }) as [Value];
  x.graph.differentiate({
    inputs: [x],
    outputs: [y],
    backward: ([gradient]) => [
      accumulate(x, x.dims, () => {
        // d/dx = Φ(x) + x·φ(x) with φ the standard normal density; in u = x/√2, (1 + erf u)/2 + u·exp(−u² − ln √π)
        const u = Mul(x, Math.SQRT1_2);
        const product = Mul(u, Exp(Sub(x.graph.scalar(-Math.log(Math.PI) / 2), Mul(u, u))));
        return Mul(gradient!, Add(Add(Mul(Erf(u), 0.5), 0.5), product));
      }),
    ],
  });
  x.graph.recomputed.add(y);
  return y;
}

/** The tanh approximation of GELU. */
export function GeluTanh(x: Value): Value {
  const cubic = Mul(Mul(Mul(x, x), x), 0.044715);
  return Mul(Mul(x, 0.5), Add(Tanh(Mul(Add(x, cubic), Math.sqrt(2 / Math.PI))), 1));
}

const activations: Readonly<Record<string, (x: Value) => Value>> = {
  gelu: Gelu,
  gelu_new: GeluTanh,
  gelu_pytorch_tanh: GeluTanh,
  relu: Relu,
};

/**
 * The activation of a `hidden_act` name in config.json.
 * @throws LexrayError BAD_INPUT for an unknown name
 */
export function activationByName(name: string): (x: Value) => Value {
  const activation = activations[name];
  if (!activation) {
    throw badInput(`activation "${name}" is not supported; known: ${Object.keys(activations).join(', ')}`, {
      where: 'config.json: hidden_act',
    });
  }
  return activation;
}
