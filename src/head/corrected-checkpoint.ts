/**
 * A checkpoint with a corrected head. There are two ways to store the same logits, both read alike by every version of
 * transformers and sentence-transformers:
 *
 *     norm      the LayerNorm before the decoder (γ, β) and the bias are divided; W stays, and so does the tie
 *     untied    W itself is divided and stored beside the embeddings, with `tie_word_embeddings: false`
 *
 * Dividing a tied W in place would not do: transformers 4 drops a decoder that differs from the embeddings, transformers 5
 * keeps it. Arm A is the exception that wants just that: it divides the shared matrix, word embeddings and all.
 */
import type { Checkpoint, NamedWeight } from '../checkpoint/checkpoint.ts';
import type { ModelConfig } from '../checkpoint/families/model-family.ts';
import { LexrayError } from '../util/errors.ts';
import { type Correction, checkCorrection, relativeNormsOf } from './correction.ts';
import { type HeadStatistics, headStatistics } from './head-statistics.ts';

/** Where a correction is stored. */
export type StorageRoute = 'norm' | 'untied' | 'shared';

/** What a corrected model is made of. */
export interface CorrectedCheckpoint {
  readonly config: ModelConfig;
  readonly route: StorageRoute;
  /** Every weight, in the order of the family. */
  loadWeights(): AsyncGenerator<NamedWeight>;
  /** Weights that differ from the source, by canonical name. */
  readonly changed: readonly string[];
  /** The head before the correction. */
  readonly head: HeadStatistics;
}

/**
 * The weights of a checkpoint with its head corrected; nothing is read until they are asked for.
 * @param route @default 'norm'; 'untied' for arm E, 'shared' for arm A
 * @throws LexrayError USAGE when the correction is impossible, or cannot be stored by that route
 */
export async function correctCheckpoint(
  checkpoint: Checkpoint,
  correction: Correction,
  route?: 'norm' | 'untied',
): Promise<CorrectedCheckpoint> {
  checkCorrection(correction);
  const { arm, factor, shift } = correction;
  const head = await headStatistics(checkpoint);
  const { location } = head;
  const chosen = routeFor(arm, route);
  const { family } = checkpoint;
  const rowFactors = arm === 'E' ? relativeNormsOf(head.rowNorms).map((norm) => norm * factor) : undefined;
  const needsBias = location.bias === undefined && shift !== 0;
  const config = correctedConfig(checkpoint.config, { untied: chosen === 'untied', bias: needsBias });
  const biasName = family.tied.bias;
  const dividesBias = arm === 'C' || arm === 'D' || arm === 'E';

  /** (b − c)/k, computed in float64 and rounded once. */
  const correctBias = (bias: Float32Array): Float32Array =>
    dividesBias ? bias.map((b, v) => (b - shift) / (rowFactors?.[v] ?? factor)) : bias;
  const divide = (values: Float32Array): Float32Array => values.map((x) => x / factor);
  const divideRows = (matrix: Float32Array): Float32Array => {
    const { width } = location;
    return matrix.map((x, i) => x / (rowFactors?.[Math.floor(i / width)] ?? factor));
  };

  const edits = new Map<string, (data: Float32Array) => Float32Array>();
  if (chosen === 'norm') {
    edits.set(location.norm.weight, divide);
    if (location.norm.bias !== undefined) edits.set(location.norm.bias, divide);
  } else {
    edits.set(chosen === 'shared' ? location.decoder : location.untiedDecoder, divideRows);
  }
  if (dividesBias && (location.bias !== undefined || needsBias)) edits.set(biasName, correctBias);
  const source = async (name: string, shape: readonly number[]): Promise<Float32Array> => {
    if (checkpoint.tensors.has(name)) return checkpoint.readTensor(name);
    if (name === location.untiedDecoder) return checkpoint.readTensor(location.decoder);
    return new Float32Array(shape.reduce((product, size) => product * size, 1));
  };
  return {
    config,
    route: chosen,
    head,
    changed: [...edits.keys()],
    async *loadWeights() {
      for (const { name, shape } of family.weights(config)) {
        const data = await source(name, shape);
        yield { name, shape, data: edits.get(name)?.(data) ?? data };
      }
    },
  };
}

function routeFor(arm: Correction['arm'], wanted: 'norm' | 'untied' | undefined): StorageRoute {
  if (arm === 'A') {
    if (wanted === undefined) return 'shared';
    throw new LexrayError('USAGE', 'arm A scales the shared matrix itself: it has no other route', {
      cure: 'leave out --route, or use arm B, which scales the decoder alone',
    });
  }
  if (arm === 'E' && wanted === 'norm') {
    throw new LexrayError('USAGE', 'arm E has a factor for each row, which no LayerNorm can hold', {
      cure: 'use --route untied',
    });
  }
  return wanted ?? (arm === 'E' ? 'untied' : 'norm');
}

function correctedConfig(
  config: ModelConfig,
  { untied, bias }: { readonly untied: boolean; readonly bias: boolean },
): ModelConfig {
  return {
    ...config,
    ...(untied ? { tie_word_embeddings: false } : {}),
    ...(bias && config.model_type === 'modernbert' ? { decoder_bias: true } : {}),
  };
}
