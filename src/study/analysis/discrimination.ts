/**
 * How well a figure tells two kinds of units apart. The area under the ROC curve is the probability that a unit that collapsed has
 * the larger value than one that did not, ties counted half (Mann and Whitney, "On a Test of Whether one of Two Random Variables is
 * Stochastically Larger than the Other", Ann. Math. Stat. 18(1), 1947). Balanced accuracy is the mean of the shares of either
 * kind that are judged rightly: .5 for every rule that says the same of all.
 */

/** How many of either kind. */
export interface Outcome {
  readonly collapsed: number;
  readonly healthy: number;
}

/** A value, and what came of the runs that had it. */
export interface ValuedOutcome extends Outcome {
  readonly value: number;
}

/** The area; undefined where only one kind came. */
export function areaUnderCurve(units: readonly ValuedOutcome[]): number | undefined {
  const sorted = [...units].sort((a, b) => a.value - b.value);
  let [pairs, healthyBelow, collapsed] = [0, 0, 0];
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    let [tiedCollapsed, tiedHealthy] = [0, 0];
    for (; end < sorted.length && sorted[end]!.value === sorted[start]!.value; end++) {
      tiedCollapsed += sorted[end]!.collapsed;
      tiedHealthy += sorted[end]!.healthy;
    }
    pairs += tiedCollapsed * (healthyBelow + tiedHealthy / 2);
    healthyBelow += tiedHealthy;
    collapsed += tiedCollapsed;
    start = end;
  }
  return collapsed > 0 && healthyBelow > 0 ? pairs / (collapsed * healthyBelow) : undefined;
}

/** Judgements against what came. */
export interface Confusion {
  /** Units that were judged to collapse, by what came of them. */
  readonly yes: Outcome;
  readonly no: Outcome;
}

/** Counts judgements. */
export function confusionOf(units: readonly (Outcome & { readonly judged: boolean })[]): Confusion {
  const sum = (judged: boolean): Outcome => {
    const some = units.filter((unit) => unit.judged === judged);
    return {
      collapsed: some.reduce((total, { collapsed }) => total + collapsed, 0),
      healthy: some.reduce((total, { healthy }) => total + healthy, 0),
    };
  };
  return { yes: sum(true), no: sum(false) };
}

/** Balanced accuracy; undefined where only one kind came. */
export function balancedAccuracy({ yes, no }: Confusion): number | undefined {
  const [collapsed, healthy] = [yes.collapsed + no.collapsed, yes.healthy + no.healthy];
  return collapsed > 0 && healthy > 0 ? (yes.collapsed / collapsed + no.healthy / healthy) / 2 : undefined;
}
