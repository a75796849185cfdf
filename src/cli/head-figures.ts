/** Figures of a head's vectors as JSON, and as rows of a table with a column for each state of the head. */
import { z } from 'zod';
import type { ObservedFigures } from '../head/observed.ts';
import { formatCount, formatFigure } from './format.ts';

/** Figures as `--json` prints them. */
export interface FiguresJson {
  readonly texts: number;
  readonly batch: number;
  readonly activeDims: { readonly mean: number; readonly min: number; readonly max: number };
  readonly activeShare: number;
  readonly zeroTexts: number;
  readonly tokenActivation: number;
  readonly meanWeight: number;
  readonly scores: {
    readonly mean: number;
    readonly spread: number;
    readonly entropy: number;
    readonly cosine: number;
  };
  readonly infoNce?: { readonly value: number; readonly chance: number } | undefined;
  readonly flops: number;
  readonly retrievalFlops: number;
  readonly largestDocumentFrequency: number;
  readonly sinkCount: number;
  readonly sinkScoreShare: number;
}

/** Schema of {@link figuresJson}. */
export const figuresSchema: z.ZodType<FiguresJson> = z.strictObject({
  texts: z.int(),
  batch: z.int(),
  activeDims: z.strictObject({ mean: z.number(), min: z.int(), max: z.int() }),
  /** Mean active dimensions divided by the size of the vocabulary. */
  activeShare: z.number(),
  zeroTexts: z.int(),
  /** P(z > 0) of a token and a term. */
  tokenActivation: z.number(),
  meanWeight: z.number(),
  /** Scores of unrelated texts in batches of `batch`. */
  scores: z.strictObject({ mean: z.number(), spread: z.number(), entropy: z.number(), cosine: z.number() }),
  /** InfoNCE of the halves of texts, and ln B. */
  infoNce: z.strictObject({ value: z.number(), chance: z.number() }).optional(),
  /** Σ_v (mean weight)². */
  flops: z.number(),
  /** Σ_v p(v)². */
  retrievalFlops: z.number(),
  largestDocumentFrequency: z.number(),
  sinkCount: z.int(),
  sinkScoreShare: z.number(),
});

/** The figures without their histograms. */
export function figuresJson(observed: ObservedFigures): FiguresJson {
  const { scores, pairs, sinks: _sinks, ...rest } = observed;
  const { mean, std: spread, entropy, cosine } = scores;
  return {
    ...rest,
    scores: { mean, spread, entropy, cosine },
    ...(pairs !== undefined && { infoNce: { value: pairs.infoNce, chance: pairs.chance } }),
  };
}

/** Rows of a table: what it is, then its value in each state. */
export function figureRows(states: readonly ObservedFigures[]): string[][] {
  const [first] = states;
  if (first === undefined) return [];
  const row = (title: string, value: (observed: ObservedFigures) => string): string[] => [title, ...states.map(value)];
  return [
    row('P(z > 0) of tokens', ({ tokenActivation }) => formatFigure(tokenActivation)),
    row(
      'active dimensions',
      ({ activeDims: { mean, min, max } }) => `${formatFigure(mean)} (${formatCount(min)}–${formatCount(max)})`,
    ),
    row('  of the vocabulary', ({ activeShare }) => `${formatFigure(100 * activeShare)} %`),
    row('texts without any', ({ zeroTexts }) => formatCount(zeroTexts)),
    row('mean weight', ({ meanWeight }) => formatFigure(meanWeight)),
    row('cosine of unrelated texts', ({ scores }) => scores.cosine.toFixed(4)),
    row(`score spread, B = ${first.batch}`, ({ scores }) => formatFigure(scores.std)),
    row('softmax entropy / maximum', ({ scores }) => scores.entropy.toFixed(4)),
    ...(first.pairs === undefined
      ? []
      : [
          row(`InfoNCE of halves (chance ${formatFigure(first.pairs.chance)})`, ({ pairs }) =>
            formatFigure(pairs?.infoNce ?? Number.NaN),
          ),
        ]),
    row('FLOPS Σ(mean weight)²', ({ flops }) => formatFigure(flops)),
    row(
      'largest document frequency',
      ({ largestDocumentFrequency }) => `${formatFigure(100 * largestDocumentFrequency)} %`,
    ),
    row(
      'sinks, their score share',
      ({ sinkCount, sinkScoreShare }) => `${formatCount(sinkCount)}, ${formatFigure(100 * sinkScoreShare)} %`,
    ),
  ];
}
