/**
 * Fisher's paired randomisation test: if two systems were the same, the sign of each query's difference would be chance.
 * p is the share of sign assignments whose |mean| is at least the one observed.
 *
 * Differences of 0 change nothing and are left out. Up to {@link maxExact} others all 2ⁿ assignments are enumerated; beyond,
 * m are drawn and p = (b + 1) / (m + 1) with b of them as extreme, which is never 0 and keeps the level of the test
 * (Phipson and Smyth 2010). Fisher, "The Design of Experiments", 1935; for retrieval: Smucker, Allan and Carterette, 2007.
 */
import { Random } from '../../util/random.ts';

/** The most differences that are not 0 for which all sign assignments are enumerated. */
export const maxExact = 18;

/** Options of {@link randomizationTest}. */
export interface RandomizationOptions {
  /** Sign assignments to draw when there are too many to enumerate. @default 10000 */
  readonly samples?: number | undefined;
  /** @default 0 */
  readonly seed?: number | undefined;
}

/** Result of {@link randomizationTest}. */
export interface RandomizationTest {
  /** Two-sided. 1 when all differences are 0. */
  readonly pValue: number;
  /** Whether all sign assignments were enumerated. */
  readonly exact: boolean;
  /** How many sign assignments were looked at. */
  readonly samples: number;
}

/**
 * Tests whether the mean of paired differences is 0.
 * @param differences one a query, finite
 */
export function randomizationTest(
  differences: ArrayLike<number>,
  options: RandomizationOptions = {},
): RandomizationTest {
  const changing = Float64Array.from(differences).filter((difference) => difference !== 0);
  let observed = 0;
  let total = 0;
  for (const difference of changing) {
    observed += difference;
    total += Math.abs(difference);
  }
  // Sums in another order differ by rounding; what is equal but for that counts as equally extreme.
  const threshold = Math.abs(observed) - 1e-12 * total;
  if (changing.length <= maxExact) return enumerateSigns(changing, threshold);
  return sampleSigns(changing, threshold, options.samples ?? 10_000, new Random(options.seed ?? 0));
}

/** Walks through all signs in Gray-code order, one flip a step; the sign of the last difference is fixed by symmetry. */
function enumerateSigns(differences: Float64Array, threshold: number): RandomizationTest {
  const count = 2 ** Math.max(0, differences.length - 1);
  const signed = differences.slice();
  let sum = 0;
  for (const difference of signed) sum += difference;
  let extreme = 0;
  for (let step = 1; ; step++) {
    if (Math.abs(sum) >= threshold) extreme++;
    if (step === count) break;
    const flipped = 31 - Math.clz32(step & -step);
    signed[flipped] = -signed[flipped]!;
    sum += 2 * signed[flipped]!;
  }
  return { pValue: extreme / count, exact: true, samples: 2 ** differences.length };
}

function sampleSigns(differences: Float64Array, threshold: number, samples: number, random: Random): RandomizationTest {
  let extreme = 0;
  for (let sample = 0; sample < samples; sample++) {
    let sum = 0;
    let bits = 0;
    for (let i = 0; i < differences.length; i++) {
      if ((i & 31) === 0) bits = random.uint32();
      sum += bits & 1 ? differences[i]! : -differences[i]!;
      bits >>>= 1;
    }
    if (Math.abs(sum) >= threshold) extreme++;
  }
  return { pValue: (extreme + 1) / (samples + 1), exact: false, samples };
}
