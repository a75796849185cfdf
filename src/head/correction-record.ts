/**
 * How a head was corrected, as it is kept in the manifest of the model folder under `config.head`:
 *
 *     {"corrections": [{"arm": "C", "factor": 8, "shift": 0, "route": "norm", "found": {"by": "score-spread", "target": 1, …},
 *                       "texts": {"count": 512, "sha256": "…"}, "before": {…}, "after": {…}}], "together": {…}}
 *
 * A corrected model can be corrected again: the list then has both, and `together` is their product where one arm can say it.
 */
import { z } from 'zod';
import type { Manifest } from '../util/manifest.ts';
import type { Calibration } from './calibrate.ts';
import type { StorageRoute } from './corrected-checkpoint.ts';
import type { Correction } from './correction.ts';
import type { ObservedFigures } from './observed.ts';

/** The figures of a set of texts that a record keeps. */
export interface RecordedFigures {
  readonly activeDims: number;
  readonly zeroTexts: number;
  readonly tokenActivation: number;
  readonly meanWeight: number;
  readonly scoreSpread: number;
  readonly entropy: number;
  readonly cosine: number;
  readonly flops: number;
}

/** Texts that a correction was found on. */
export interface RecordedTexts {
  readonly count: number;
  /** SHA-256 of the texts, each followed by a newline. */
  readonly sha256: string;
  /** Where they came from. */
  readonly source: string;
}

/** How a factor was chosen. */
export type CorrectionOrigin =
  | { readonly by: 'user' }
  | { readonly by: string; readonly target: number | undefined; readonly targetOrigin: string };

/** One correction. */
export interface CorrectionRecord extends Correction {
  readonly route: StorageRoute;
  readonly found: CorrectionOrigin;
  readonly texts: RecordedTexts | undefined;
  /** Figures before, and after as they follow from the same pass; undefined where no text was encoded. */
  readonly before: RecordedFigures | undefined;
  readonly after: RecordedFigures | undefined;
}

/** `config.head` of a manifest. */
export interface HeadHistory {
  readonly corrections: readonly CorrectionRecord[];
  /** All of them as one; undefined where no arm can say it. */
  readonly together: Correction | undefined;
}

/** What of the figures is recorded. */
export function recordedFigures(observed: ObservedFigures): RecordedFigures {
  const { activeDims, zeroTexts, tokenActivation, meanWeight, scores, flops } = observed;
  const { std: scoreSpread, entropy, cosine } = scores;
  return { activeDims: activeDims.mean, zeroTexts, tokenActivation, meanWeight, scoreSpread, entropy, cosine, flops };
}

/** Where a calibration comes from. */
export function calibrationOrigin({ statistic, target, origin }: Calibration): CorrectionOrigin {
  return { by: statistic, target, targetOrigin: origin };
}

const figure = z.number().catch(Number.NaN);
const figures = z
  .object({
    activeDims: figure,
    zeroTexts: figure,
    tokenActivation: figure,
    meanWeight: figure,
    scoreSpread: figure,
    entropy: figure,
    cosine: figure,
    flops: figure,
  })
  .optional()
  .catch(undefined);
const record = z.object({
  arm: z.enum(['A', 'B', 'C', 'D', 'E']),
  factor: z.number().positive(),
  shift: z.number(),
  route: z.enum(['norm', 'untied', 'shared']).catch('norm'),
  found: z
    .union([
      z.object({ by: z.string(), target: z.number().optional(), targetOrigin: z.string() }),
      z.object({ by: z.literal('user') }),
    ])
    .catch({ by: 'user' }),
  texts: z.object({ count: z.number(), sha256: z.string(), source: z.string() }).optional().catch(undefined),
  before: figures,
  after: figures,
});
const history = z.object({ corrections: z.array(record).max(1000) });

/** The corrections that a model folder already has; none where its manifest has no list of them. */
export function earlierCorrections(manifest: Manifest | undefined): readonly CorrectionRecord[] {
  const parsed = history.safeParse((manifest as Partial<Manifest> | undefined)?.config?.head);
  if (!parsed.success) return [];
  return parsed.data.corrections.map((entry) => ({
    ...entry,
    found: 'targetOrigin' in entry.found ? { ...entry.found, target: entry.found.target } : { by: 'user' },
    texts: entry.texts,
    before: entry.before,
    after: entry.after,
  }));
}

/** Corrections one after the other as one: C and D with each other, A with A, B with B, E with a C before or after it. */
export function composeCorrections(corrections: readonly Correction[]): Correction | undefined {
  const [first, ...rest] = corrections;
  if (first === undefined) return undefined;
  return rest.reduce<Correction | undefined>((before, after) => before && compose(before, after), {
    arm: first.arm,
    factor: first.factor,
    shift: first.shift,
  });
}

/** ((z − c)/k − c′)/k′ = (z − (c + k·c′))/(k·k′). */
function compose(before: Correction, after: Correction): Correction | undefined {
  const factor = before.factor * after.factor;
  const arms = new Set([before.arm, after.arm]);
  if (arms.size === 1 && !arms.has('D') && !arms.has('E')) return { arm: before.arm, factor, shift: 0 };
  if ([...arms].every((arm) => arm === 'C' || arm === 'D')) {
    const shift = before.shift + before.factor * after.shift;
    return { arm: shift === 0 ? 'C' : 'D', factor, shift };
  }
  // E after E would divide by the norms of rows that have one norm already.
  if (arms.has('E') && arms.has('C')) return { arm: 'E', factor, shift: 0 };
  return undefined;
}
