/**
 * Matches the tensors of a checkpoint with the weights that its model needs: every weight under its canonical name,
 * with the shape that config.json promises, before any data is read.
 */
import { badInput } from '../util/errors.ts';
import type { ModelConfig, ModelFamily, WeightSpec } from './families/model-family.ts';
import { quote } from './json-cursor.ts';
import type { TensorInfo } from './safetensors-header.ts';

/** The weights of a model and where they are. */
export interface ResolvedWeights {
  /** Stored tensor by canonical name, in canonical order. */
  readonly weights: ReadonlyMap<string, TensorInfo>;
  /** Stored tensors that the model does not use. */
  readonly unused: readonly string[];
  /** Pairs of stored tensors of which versions of transformers use one or the other. */
  readonly rivals: readonly Rivals[];
}

/** Two stored tensors that ought to be equal. */
export interface Rivals {
  /** The one that Lexray uses. */
  readonly used: string;
  readonly ignored: string;
  /** What differs between the two readings. */
  readonly readings: string;
}

/**
 * @throws LexrayError BAD_INPUT when weights are missing, stored twice under two spellings, not stored as floats, or
 * of another shape than the config says
 */
export function resolveWeights(
  family: ModelFamily,
  config: ModelConfig,
  stored: ReadonlyMap<string, TensorInfo>,
  where: string,
): ResolvedWeights {
  const specs = family.weights(config);
  const { embeddings, decoder, bias, biasCopy } = family.tied;
  const weights = new Map<string, TensorInfo>();
  const used = new Set<string>();
  const missing: WeightSpec[] = [];
  for (const spec of specs) {
    const found = [spec.name, ...spec.aliases].filter((name) => stored.has(name));
    const preferred = config.tie_word_embeddings ? bias : biasCopy;
    const name = found.length > 1 && spec.name === bias ? preferred : found[0];
    if (name === undefined) {
      missing.push(spec);
      continue;
    }
    if (found.length > 1 && spec.name !== bias) {
      throw badInput(`${where} has the weight ${spec.name} twice: as ${found.map(quote).join(' and as ')}`, {
        where,
        cure: 'remove one of them',
      });
    }
    const info = stored.get(name)!;
    checkTensor(info, spec, where);
    weights.set(spec.name, info);
    used.add(name);
  }
  if (missing.length > 0) throw missingWeights(missing, specs, family, where);
  return {
    weights,
    unused: [...stored.keys()].filter((name) => !used.has(name) && !family.isKnownExtra(name)),
    rivals: findRivals(),
  };

  function findRivals(): Rivals[] {
    const rivals: Rivals[] = [];
    if (config.tie_word_embeddings && stored.has(decoder)) {
      const readings =
        'config.json ties the decoder to the word embeddings, so transformers 4 and Lexray use the embeddings; ' +
        'transformers 5 uses the stored decoder. Set tie_word_embeddings to false if the decoder is meant';
      rivals.push({ used: weights.get(embeddings)!.name, ignored: decoder, readings });
    }
    if (biasCopy !== undefined && stored.has(bias) && stored.has(biasCopy)) {
      const name = weights.get(bias)!.name;
      const readings = 'versions of transformers differ in which of the two they use';
      rivals.push({ used: name, ignored: name === bias ? biasCopy : bias, readings });
    }
    return rivals;
  }
}

function checkTensor(info: TensorInfo, spec: WeightSpec, where: string): void {
  if (info.shape.length !== spec.shape.length || info.shape.some((size, i) => size !== spec.shape[i])) {
    throw badInput(
      `tensor ${quote(info.name)} has shape [${info.shape.join(', ')}]; config.json asks for [${spec.shape.join(', ')}]`,
      { where, cure: 'config.json and the weights do not belong together' },
    );
  }
  if (info.dtype !== 'F32' && info.dtype !== 'F16' && info.dtype !== 'BF16') {
    throw badInput(`tensor ${quote(info.name)} has dtype ${info.dtype}; weights must be F32, F16 or BF16`, {
      where,
      cure: 'save the model again in one of these types (a quantised model cannot be used)',
    });
  }
}

function missingWeights(
  missing: readonly WeightSpec[],
  specs: readonly WeightSpec[],
  family: ModelFamily,
  where: string,
): Error {
  const list = (names: readonly WeightSpec[]): string =>
    names
      .slice(0, 6)
      .map(({ name }) => name)
      .join(', ') + (names.length > 6 ? ` and ${names.length - 6} more` : '');
  if (missing.every(({ part }) => part === 'head')) {
    const whole = missing.length === specs.filter(({ part }) => part === 'head').length;
    return badInput(
      `${where} has no ${whole ? '' : 'complete '}MLM head, which a SPLADE model needs; missing: ${list(missing)}`,
      { where, cure: `use a checkpoint saved as a masked language model (${family.architecture})` },
    );
  }
  return badInput(`${where} lacks ${missing.length} of ${specs.length} weights: ${list(missing)}`, {
    where,
    cure: 'check that config.json and the weights belong together',
  });
}
