/** Ranges of a figure outside of which heads collapse. */
import type { ValuedOutcome } from './discrimination.ts';

/** A healthy range. */
export interface Window {
  readonly low: number;
  readonly high: number;
}

/**
 * The widest range of best balanced accuracy, with that accuracy: cuts lie halfway between neighbouring values, or at the ends of all numbers.
 * @returns undefined where the cells know only one outcome
 */
export function bestWindow(
  cells: readonly ValuedOutcome[],
): { readonly window: Window; readonly accuracy: number } | undefined {
  const sorted = [...cells].sort((a, b) => a.value - b.value);
  const sums = { collapsed: [0], healthy: [0] };
  const cuts = [Number.NEGATIVE_INFINITY];
  for (const [i, { value, collapsed, healthy }] of sorted.entries()) {
    const next = sorted[i + 1]?.value;
    const last = sums.collapsed.length - 1;
    if (i > 0 && sorted[i - 1]!.value === value) {
      sums.collapsed[last]! += collapsed;
      sums.healthy[last]! += healthy;
    } else {
      sums.collapsed.push(sums.collapsed[last]! + collapsed);
      sums.healthy.push(sums.healthy[last]! + healthy);
    }
    if (next !== value) cuts.push(next === undefined ? Number.POSITIVE_INFINITY : (value + next) / 2);
  }
  const [collapsed, healthy] = [sums.collapsed.at(-1)!, sums.healthy.at(-1)!];
  if (collapsed === 0 || healthy === 0) return undefined;
  let best: Window | undefined;
  let most = Number.NEGATIVE_INFINITY;
  for (let low = 0; low < cuts.length; low++) {
    for (let high = cuts.length - 1; high > low; high--) {
      const inside = {
        collapsed: sums.collapsed[high]! - sums.collapsed[low]!,
        healthy: sums.healthy[high]! - sums.healthy[low]!,
      };
      const accuracy = (1 - inside.collapsed / collapsed + inside.healthy / healthy) / 2;
      if (accuracy > most + 1e-12) {
        most = accuracy;
        best = { low: cuts[low]!, high: cuts[high]! };
      }
    }
  }
  return best && { window: best, accuracy: most };
}

/** Whether a range says that a value goes with collapse; without a range nothing does. */
export function isOutside(value: number, window: Window | undefined): boolean {
  return window !== undefined && (value < window.low || value > window.high);
}
