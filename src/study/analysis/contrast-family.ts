/**
 * A family of contrasts that were declared together before the runs: for each its effect with the crossed interval and the
 * two-way bootstrap beside it, the sign-flip test and the t test, each corrected by Holm over the family, and a verdict on the
 * claim that was made:
 *
 *     confirmed    both tests find an effect (p_Holm ≤ α), and it has the claimed sign
 *     refuted      both find one of the other sign; or the whole interval is below the least effect that matters
 *     not testable the sign-flip test cannot reach α with so many seeds in so large a family
 *     undecided    all else
 *
 * The sign-flip test makes no assumption about distributions, but speaks of these queries only; the t test speaks of queries to
 * come. Together they keep the family-wise error where either alone would not: docs/concepts/study-statistics.md.
 */
import type { Interval } from '../../evaluate/significance/bootstrap-interval.ts';
import { holm } from '../../evaluate/significance/holm.ts';
import { badInput } from '../../util/errors.ts';
import { type CrossedBootstrapOptions, crossedBootstrap } from './crossed-bootstrap.ts';
import { type CrossedInterval, crossedInterval } from './crossed-interval.ts';
import { detectableDifference } from './detectable-difference.ts';
import { meanSquares } from './mean-squares.ts';
import { contrastTable, type WeightedCell } from './score-table.ts';
import { type SignFlipTest, signFlipTest } from './sign-flip.ts';

/** A claim about an effect, made before the runs. */
export interface Contrast {
  readonly name: string;
  /** The cells and their weights; the effect is the mean of their sum. */
  readonly cells: readonly WeightedCell[];
  /** The sign that is claimed; a contrast without a claim is asked both ways. @default 'positive' */
  readonly claim?: 'positive' | 'negative' | 'none' | undefined;
  /** The least effect that matters. A claim is refuted when the interval lies below it. @default 0 */
  readonly matters?: number | undefined;
}

/** What became of a claim. */
export type Verdict = 'confirmed' | 'refuted' | 'undecided' | 'not testable';

/** A contrast analysed. */
export interface ContrastResult {
  readonly name: string;
  readonly effect: CrossedInterval & { readonly pHolm: number };
  readonly bootstrap: Interval;
  readonly signFlip: SignFlipTest & { readonly pHolm: number };
  readonly verdict: Verdict;
}

/** Options of {@link analyseFamily}. */
export interface FamilyOptions extends CrossedBootstrapOptions {
  /** The tests that verdicts rest on: the t test alone serves designs of too few seeds for the other. @default 'both' */
  readonly tests?: 'both' | 'crossed-t' | undefined;
  /** @default 0.05 */
  readonly alpha?: number | undefined;
}

/**
 * Analyses the contrasts of one family.
 * @throws LexrayError BAD_INPUT when a name occurs twice or a table does not fit
 */
export function analyseFamily(contrasts: readonly Contrast[], options: FamilyOptions = {}): ContrastResult[] {
  const { tests = 'both', alpha = 0.05 } = options;
  if (new Set(contrasts.map(({ name }) => name)).size < contrasts.length) {
    throw badInput('two contrasts of a family have the same name');
  }
  const tables = contrasts.map(({ cells }) => contrastTable(cells));
  const effects = tables.map((table) => crossedInterval(table, options));
  const flips = tables.map((table) => signFlipTest(table, options));
  const effectHolm = holm(effects.map(({ pValue }) => pValue));
  const flipHolm = holm(flips.map(({ pValue }) => pValue));
  return contrasts.map((contrast, i) => {
    const effect = { ...effects[i]!, pHolm: effectHolm[i]! };
    const signFlip = { ...flips[i]!, pHolm: flipHolm[i]! };
    const testable = tests === 'crossed-t' || contrasts.length * signFlip.leastP <= alpha;
    const found = effect.pHolm <= alpha && (tests === 'crossed-t' || signFlip.pHolm <= alpha);
    return {
      name: contrast.name,
      effect,
      bootstrap: crossedBootstrap(tables[i]!, options),
      signFlip,
      verdict: verdictOf(contrast, effect, { testable, found }),
    };
  });
}

function verdictOf(
  { claim = 'positive', matters = 0 }: Contrast,
  { mean, low, high }: CrossedInterval,
  { testable, found }: { readonly testable: boolean; readonly found: boolean },
): Verdict {
  const sign = claim === 'negative' ? -1 : 1;
  if (claim !== 'none' && matters > 0 && Math.max(sign * low, sign * high) < matters) return 'refuted';
  if (!testable) return 'not testable';
  if (!found) return 'undecided';
  return claim === 'none' || sign * mean > 0 ? 'confirmed' : 'refuted';
}

/**
 * The least true effect that a design finds with a power of .8 by all tests that its verdicts rest on, from the variances of the
 * contrast itself; infinite where it can find none.
 * @param family contrasts of the family
 */
export function detectableEffect(
  cells: readonly WeightedCell[],
  family: number,
  { tests = 'both', alpha = 0.05 }: FamilyOptions = {},
): number {
  const { components, seeds, queries } = meanSquares(contrastTable(cells));
  const asked = tests === 'both' ? (['crossed-t', 'sign-flip'] as const) : (['crossed-t'] as const);
  return Math.max(
    ...asked.map((test) => detectableDifference(components, { seeds, queries, test, family, alpha, samples: 500 })),
  );
}
