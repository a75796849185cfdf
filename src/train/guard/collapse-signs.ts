/**
 * The signs of a collapse in smoothed figures of one side, and in words. A sign is not yet an alarm: runs start dense, and
 * many recover (`training-guard.ts` gives them time).
 *
 *     dense     the median vector has more than a share of the dimensions that it can have
 *     dead      more than a share of the vectors is all zero
 *     chance    the ranking loss is above that of a model without preference: the softmax is decided, and wrongly
 *     constant  scores do not depend on the side's vector, or nearly all active terms are active in every vector
 */
import type { GuardSettings } from './guard-settings.ts';
import type { CollapseKind, Side, SideFigures } from './guard-state.ts';

/** A side of the run, as far as it does not change. */
export interface SideLimits {
  readonly side: Side;
  /** Dimensions that a vector can have active. */
  readonly limit: number;
  /** Whether the limit is a top-k mask and not the vocabulary. */
  readonly masked: boolean;
}

/** A sign of a collapse. */
export interface CollapseSign {
  readonly kind: CollapseKind;
  /** What is given time first: the rise of the regularizer weights or of the learning rate. */
  readonly waitsFor: 'ramp' | 'warmup' | 'chance' | 'nothing';
  /** What gets smaller when the run recovers; undefined where getting better is not enough. */
  readonly figure?: number | undefined;
  /** In words, to follow "queries", "documents" or "the scores". */
  readonly words: string;
}

/** Share of active dimensions whose terms are in every vector from which on vectors have nothing of their own. */
const nothingOfTheirOwn = 0.99;

/** Single precision makes scores of equal vectors differ by up to so large a share of their mean: below it nothing gets better. */
const roundingSpread = 1e-5;

/** The signs that the figures of a side show. */
export function collapseSigns(
  figures: SideFigures,
  side: SideLimits,
  settings: GuardSettings,
): readonly CollapseSign[] {
  const { median, zeroShare, sharedTerms, spread } = figures;
  const { limit, masked } = side;
  const signs: CollapseSign[] = [];
  const denseShare = settings.denseShare ?? (masked ? 0.95 : 0.5);
  const isDense = median > denseShare * limit;
  if (isDense) {
    const whole = masked ? `the ${count(limit)} that top-k masking leaves them` : `the vocabulary of ${count(limit)}`;
    signs.push({
      kind: 'dense',
      waitsFor: 'ramp',
      figure: median,
      words: `are dense: half of them have ${count(median)} active dimensions or more, above ${percent(denseShare)} of ${whole}`,
    });
  }
  if (zeroShare > settings.zeroShare) {
    signs.push({
      kind: 'dead',
      waitsFor: 'nothing',
      figure: zeroShare,
      words: `are dead: ${percent(zeroShare)} of them are all zero`,
    });
  } else if (spread < settings.constantSpread) {
    signs.push({
      kind: 'constant',
      waitsFor: 'warmup',
      figure: 1 / Math.max(spread, roundingSpread),
      words: `are all alike: whichever one is taken, scores differ by ${spread.toExponential(1)} of their mean only`,
    });
  } else if (sharedTerms > nothingOfTheirOwn && !isDense) {
    signs.push({
      kind: 'constant',
      waitsFor: 'ramp',
      figure: sharedTerms,
      words: `are all alike: ${percent(sharedTerms)} of their active dimensions are terms that all of them have`,
    });
  }
  return signs;
}

/**
 * The sign that the scores of whole batches show. Heads with large logits start far above chance and most come below it in a
 * third of the run; of 387 runs, three that were above it at half time became good, and none after six tenths (docs/how-to/collapse.md).
 * @param ranking smoothed, in units of chance
 */
export function scoreSigns(ranking: number): readonly CollapseSign[] {
  if (!(ranking > 1)) return [];
  const words = `say less than chance: the ranking loss is ${ranking.toPrecision(3)} times that of a model without preference`;
  return [{ kind: 'chance', waitsFor: 'chance', words }];
}

function count(x: number): string {
  return Math.round(x).toLocaleString('en-US');
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(1))} %`;
}
