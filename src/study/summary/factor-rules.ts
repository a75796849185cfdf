/**
 * Rules that choose the factor of a head without training: leave it alone; bring a figure of the head to a target; or divide by
 * what a statistic proposed for it. A target is a constant of the rule, chosen on the dev queries of other backbones.
 */
import { defaultStatistic } from '../../head/targets/registry.ts';
import type { BackboneSweep, FactorRule } from '../analysis/regret.ts';
import { type HeadFigure, headFigures } from './head-figures.ts';
import type { SweptFacts } from './swept-heads.ts';

/** Targets between the least and the largest value of a figure, evenly on a log scale. */
const targets = 81;

/** A rule for a backbone whose head comes with a gain. */
export interface StartedRule {
  readonly name: string;
  /** Whether the rule looks at a figure of the head and brings it to a target. */
  readonly toTarget: boolean;
  /** Whether its constant was learned from the calibration study. */
  readonly learned?: boolean;
  /** The rule for heads that come with this gain; factors are those of the backbone as it is. */
  from(gain: number): FactorRule<SweptFacts>;
}

/** Every rule that the cells of the sweeps know enough for. */
export function factorRules(sweeps: readonly BackboneSweep<SweptFacts>[]): readonly StartedRule[] {
  return [
    alone,
    ...headFigures.flatMap((figure) => targetRule(figure, sweeps) ?? []),
    ...proposedRules(sweeps),
    ...defaultRule(sweeps),
  ];
}

const alone: StartedRule = {
  name: 'always 1',
  toTarget: false,
  from: (gain) => ({ name: alone.name, constants: [1], choose: () => 1 / gain }),
};

/** The swept head whose figure is nearest to the target, in ratio: whatever gain a head comes with, this is the same. */
function targetRule(
  { name, ofScale, value }: HeadFigure,
  sweeps: readonly BackboneSweep<SweptFacts>[],
): StartedRule | undefined {
  const values = sweeps.flatMap(({ facts }) => [...facts.values()].map(value));
  if (!ofScale || !values.every(Number.isFinite)) return undefined;
  const logs = values.map(logOf);
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  if (low === high) return undefined;
  const constants = Array.from({ length: targets }, (_, i) => Math.exp(low + ((high - low) * i) / (targets - 1)));
  const choose = (facts: SweptFacts, target: number): number => {
    const distance = (metrics: Parameters<typeof value>[0]): number =>
      Math.abs(logOf(value(metrics)) - Math.log(target));
    const [gain] = [...facts].reduce((a, b) => (distance(b[1]) < distance(a[1]) - 1e-12 ? b : a));
    return 1 / gain;
  };
  return { name, toTarget: true, from: () => ({ name, constants, choose }) };
}

/** Smallest value that is told from nothing. */
const least = 1e-9;

function logOf(value: number): number {
  return Math.log(Math.max(value, least));
}

/** What statistics proposed for the heads of the cells, where they did so for every one; each target is a constant. */
function proposedRules(sweeps: readonly BackboneSweep<SweptFacts>[]): StartedRule[] {
  const all = sweeps.flatMap(({ facts }) => [...facts.values()]);
  const names = Object.keys(all[0] ?? {}).filter(
    (name) => name.startsWith('k ') && all.every((metrics) => metrics[name] !== undefined),
  );
  const statistics = new Map<string, string[]>();
  for (const name of names) {
    const statistic = name.slice(2).replace(/@.*/, '');
    statistics.set(statistic, [...(statistics.get(statistic) ?? []), name]);
  }
  return [...statistics].map(([statistic, each]): StartedRule => {
    const keys = new Map(each.map((key) => [Number(/@(.*)$/.exec(key)?.[1] ?? 1), key]));
    const range = keys.size > 1 ? ` to ${Math.min(...keys.keys())} … ${Math.max(...keys.keys())}` : '';
    const name = `k of ${statistic}${range}`;
    return {
      name,
      toTarget: false,
      from: (gain) => ({
        name,
        constants: [...keys.keys()],
        choose: (facts, constant) => facts.get(gain)![keys.get(constant)!]! / gain,
      }),
    };
  });
}

/** What `rescale --auto` does. */
function productRule(): { readonly key: string; readonly name: string } | undefined {
  const { name, goal } = defaultStatistic('C');
  if (goal.kind !== 'direct') return undefined;
  return { key: `k ${name}@${goal.target}`, name: `default of rescale --auto: ${name} to ${goal.target}` };
}

function defaultRule(sweeps: readonly BackboneSweep<SweptFacts>[]): StartedRule[] {
  const product = productRule();
  if (product === undefined) return [];
  const { key, name } = product;
  if (!sweeps.every(({ facts }) => [...facts.values()].every((metrics) => metrics[key] !== undefined))) return [];
  return [
    {
      name,
      toTarget: false,
      learned: true,
      from: (gain) => ({ name, constants: [1], choose: (facts) => facts.get(gain)![key]! / gain }),
    },
  ];
}
