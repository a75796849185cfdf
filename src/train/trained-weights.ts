/**
 * The weights of a trained model as they are written: those of the engine, with a learned scale of the head folded into
 * the LayerNorm before the decoder and into the bias, (γ, β, b)·exp(−g), which gives the same logits.
 */
import type { NamedWeight } from '../checkpoint/checkpoint.ts';
import type { ModelFamily } from '../checkpoint/families/model-family.ts';
import type { Engine, VariableSpec } from '../compute/runtime/engine.ts';
import { headScaleName } from '../model/splade-graph.ts';

/**
 * Reads the weights one after the other.
 * @param prefix that of the variables, which the names then lack @default none
 */
export async function* trainedWeights(
  family: Pick<ModelFamily, 'headNorm' | 'tied'>,
  variables: readonly VariableSpec[],
  engine: Pick<Engine, 'readVariable'>,
  prefix = '',
): AsyncGenerator<NamedWeight> {
  const read = (name: string): Promise<Float32Array> => engine.readVariable(name, 'value');
  const scaled = variables.some(({ name }) => name === prefix + headScaleName);
  const factor = scaled ? Math.exp(-(await read(prefix + headScaleName))[0]!) : 1;
  const divided = new Set([`${family.headNorm}.weight`, `${family.headNorm}.bias`, family.tied.bias]);
  for (const { name, dims } of variables) {
    if (name === prefix + headScaleName || !name.startsWith(prefix)) continue;
    const stem = name.slice(prefix.length);
    const data = await read(name);
    yield { name: stem, shape: dims, data: scaled && divided.has(stem) ? data.map((x) => x * factor) : data };
  }
}
