/**
 * Writes a model with a corrected head: an ordinary model folder that gives the corrected logits in every library that
 * opens such folders, with the correction and where it came from in its manifest and model card.
 */

import { type ModelFolder, requireSharedEncoder } from '../checkpoint/layouts/model-folder.ts';
import { writeModelFolder } from '../checkpoint/layouts/write-model-folder.ts';
import type { FloatDtype } from '../checkpoint/safetensors-header.ts';
import { fromF16, toF16 } from '../util/half-float.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { type CorrectedCheckpoint, correctCheckpoint, type StorageRoute } from './corrected-checkpoint.ts';
import type { Correction } from './correction.ts';
import {
  type CorrectionRecord,
  composeCorrections,
  earlierCorrections,
  type HeadHistory,
} from './correction-record.ts';
import { shortFigure } from './short-figure.ts';

/** Options of {@link rescale}. */
export interface RescaleOptions {
  /** @default 'norm'; 'untied' for arm E; arm A has none */
  readonly route?: 'norm' | 'untied' | undefined;
  /** How the correction was found, and what it does to texts. @default by the user, without texts */
  readonly provenance?: Pick<CorrectionRecord, 'found' | 'texts' | 'before' | 'after'> | undefined;
  /** The hub name of the model, for the card. */
  readonly baseModel?: string | undefined;
  /** SHA-256 of the files of the model, for the manifest. */
  readonly parents?: Readonly<Record<string, string>> | undefined;
  /** Further settings for the manifest. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** What was written. */
export interface Rescaled {
  readonly route: StorageRoute;
  /** Element type of the weights written. */
  readonly dtype: FloatDtype;
  /** Weights that differ from the model's own. */
  readonly changed: readonly string[];
  readonly history: HeadHistory;
}

/**
 * Corrects the head of a model and writes the result.
 * @throws LexrayError USAGE when the correction is impossible (a factor that is not above 0, a shift without arm D, a
 * route that cannot hold it) or the output exists; BAD_INPUT when a weight is not finite
 */
export async function rescale(
  model: ModelFolder,
  output: string,
  correction: Correction,
  options: RescaleOptions = {},
): Promise<Rescaled> {
  requireSharedEncoder(model, 'rescale');
  const { checkpoint, manifest } = model;
  const corrected = await correctCheckpoint(checkpoint, correction, options.route);
  const earlier = earlierCorrections(manifest);
  const provenance = options.provenance ?? {
    found: { by: 'user' },
    texts: undefined,
    before: undefined,
    after: undefined,
  };
  const { arm, factor, shift } = correction;
  const corrections = [...earlier, { arm, factor, shift, route: corrected.route, ...provenance }];
  const history: HeadHistory = { corrections, together: composeCorrections(corrections) };
  if (earlier.length > 0) options.onWarning?.(describeEarlier(earlier, history));
  if (arm === 'A' && corrected.head.location.tied) {
    options.onWarning?.(
      'arm A divides the word embeddings too: models that add positions to them (BERT, RoBERTa, ALBERT…) then hear positions more than words; arm B leaves the embeddings alone',
    );
  }
  const dtype = await chooseDtype(model, correction, corrected);
  await writeModelFolder(
    output,
    {
      config: corrected.config,
      weights: corrected.loadWeights(),
      tokenizer: model.tokenizerFolder,
      pooling: model.pooling,
      maxSequenceLength: model.maxSequenceLength,
      maxActiveDims: model.maxActiveDims,
      policy: model.policy,
      card: {
        body: describeHistory(history),
        tags: ['lexray', 'rescaled-mlm-head'],
        ...(options.baseModel === undefined ? {} : { baseModel: options.baseModel }),
      },
      origin: {
        config: { ...options.config, head: history },
        ...(options.parents === undefined ? {} : { parents: options.parents }),
      },
    },
    { dtype, force: options.force, signal: options.signal, onProgress: options.onProgress },
  );
  return { route: corrected.route, dtype, changed: corrected.changed, history };
}

/**
 * The element type to write: that of the source when it is a half type and nothing is lost by it, which takes a factor that
 * is a power of two and no shift; else F32.
 */
async function chooseDtype(
  { checkpoint }: ModelFolder,
  { arm, factor, shift }: Correction,
  corrected: CorrectedCheckpoint,
): Promise<FloatDtype> {
  const types = new Set([...checkpoint.tensors.values()].map(({ dtype }) => dtype));
  const [type] = types;
  if (types.size !== 1 || (type !== 'F16' && type !== 'BF16')) return 'F32';
  if (!Number.isInteger(Math.log2(factor)) || shift !== 0 || arm === 'E') return 'F32';
  const changed = new Set(corrected.changed);
  for await (const { name, data } of corrected.loadWeights()) {
    if (changed.has(name) && !fits(data, type)) return 'F32';
  }
  return type;
}

/** Whether numbers stay what they are in a half type. */
function fits(values: Float32Array, type: 'F16' | 'BF16'): boolean {
  if (type === 'F16') return values.every((value) => fromF16(toF16(value)) === value);
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return words.every((word) => (word & 0xffff) === 0);
}

function describeEarlier(earlier: readonly CorrectionRecord[], { together }: HeadHistory): string {
  const list = earlier.map(describeCorrection).join(', then ');
  const sum = together === undefined ? 'no single arm says both' : `together ${describeCorrection(together)}`;
  return `this head was corrected before (${list}); the new correction comes on top of that: ${sum}`;
}

/** `arm D, k = 8, c = 1.5` */
export function describeCorrection({ arm, factor, shift }: Correction): string {
  const figure = (x: number): string => String(Number(x.toPrecision(6)));
  return `arm ${arm}, k = ${figure(factor)}${arm === 'D' ? `, c = ${figure(shift)}` : ''}`;
}

/** The part of the model card about the head. */
function describeHistory({ corrections, together }: HeadHistory): string {
  const formulas: Readonly<Record<string, string>> = {
    A: '(W/k)h + b, word embeddings divided too',
    B: '(W/k)h + b',
    C: '(Wh + b)/k',
    D: '(Wh + b − c)/k',
    E: '(Wh + b)/k for each row, so that all rows have one norm',
  };
  const figures: readonly (readonly [string, keyof NonNullable<CorrectionRecord['before']>])[] = [
    ['Active dimensions of a text', 'activeDims'],
    ['Texts with none', 'zeroTexts'],
    ['P(z > 0)', 'tokenActivation'],
    ['Mean weight', 'meanWeight'],
    ['Score spread (B = 64)', 'scoreSpread'],
    ['Entropy / ln(B − 1)', 'entropy'],
    ['Cosine of unrelated texts', 'cosine'],
    ['FLOPS', 'flops'],
  ];
  const parts = corrections.map((record) => {
    const { arm, route, found, texts, before, after } = record;
    const lines = [
      `The MLM head was rescaled: ${describeCorrection(record)}; logits are ${formulas[arm]}.`,
      `It is stored by ${storageWords(route)}.`,
      found.by === 'user'
        ? 'The factor was given by hand.'
        : `The factor was found by the statistic \`${found.by}\`${'target' in found && found.target !== undefined ? ` with the target ${found.target}` : ''}${'targetOrigin' in found ? ` (${found.targetOrigin})` : ''}.`,
    ];
    if (texts !== undefined) lines.push(`Texts: ${texts.count}, ${texts.source}, SHA-256 \`${texts.sha256}\`.`);
    if (before === undefined || after === undefined) return lines.join(' ');
    const rows = figures.map(
      ([title, key]) => `| ${title} | ${shortFigure(before[key])} | ${shortFigure(after[key])} |`,
    );
    return `${lines.join(' ')}\n\n| | before | after |\n|---|---:|---:|\n${rows.join('\n')}`;
  });
  const sum = corrections.length > 1 && together !== undefined ? [`Together: ${describeCorrection(together)}.`] : [];
  return ['## Head', ...parts, ...sum].join('\n\n');
}

function storageWords(route: StorageRoute): string {
  switch (route) {
    case 'norm':
      return 'the LayerNorm before the decoder and the output bias; the decoder is as it was';
    case 'untied':
      return 'a decoder of its own (`tie_word_embeddings: false`)';
    case 'shared':
      return 'the matrix of word embeddings itself';
  }
}
