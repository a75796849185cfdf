/**
 * Regret of a rule that chooses a setting (the factor of a head) for a backbone without sweeping it:
 *
 *     regret = score on eval of the setting that is best on dev  −  score on eval of the setting that the rule chooses
 *
 * A rule may have a constant (a target, a threshold); it is chosen for each backbone on the dev scores of the *other*
 * backbones, so that no rule is fitted to what it is judged by. Trivial rules (always 1, match the norm of BERT) go through the
 * same. Negative regret happens: what is best on dev need not be best on eval.
 */
import { badInput } from '../../util/errors.ts';
import { type CrossedInterval, crossedInterval } from './crossed-interval.ts';
import { type ScoreTable, seedMeans } from './score-table.ts';

/** A setting of a backbone that was run. */
export interface SweptSetting {
  /** The factor k. */
  readonly factor: number;
  /** Scores by seed and query, on the queries that choose and on those that judge. */
  readonly dev: ScoreTable;
  readonly eval: ScoreTable;
}

/** A backbone and all its settings. `Facts` is whatever rules go by. */
export interface BackboneSweep<Facts> {
  readonly backbone: string;
  readonly facts: Facts;
  readonly settings: readonly SweptSetting[];
}

/** A rule: from facts of a backbone to a factor. */
export interface FactorRule<Facts> {
  readonly name: string;
  /** Constants to choose from; one for a rule without. */
  readonly constants: readonly number[];
  choose(facts: Facts, constant: number): number;
}

/** What a rule did on one backbone. */
export interface BackboneRegret {
  readonly backbone: string;
  /** Chosen on the other backbones. */
  readonly constant: number;
  /** What the rule asked for, and the nearest factor that was run. */
  readonly wanted: number;
  readonly factor: number;
  /** The factor that is best on dev. */
  readonly bestFactor: number;
  /** On eval. */
  readonly regret: CrossedInterval;
}

/** A rule judged. */
export interface RuleRegret {
  readonly rule: string;
  readonly backbones: readonly BackboneRegret[];
  /** Mean over the backbones, which are taken as they are; seeds and queries as drawn. */
  readonly mean: CrossedInterval;
  /** The backbone of the largest regret. */
  readonly worst: BackboneRegret;
}

/**
 * Judges a rule, each backbone with the constant that is best on the others.
 * @throws LexrayError BAD_INPUT when there are fewer than two backbones, or their tables differ in seeds or queries
 */
export function judgeRule<Facts>(sweeps: readonly BackboneSweep<Facts>[], rule: FactorRule<Facts>): RuleRegret {
  if (sweeps.length < 2) throw badInput(`leaving one backbone out needs two, got ${sweeps.length}`);
  if (rule.constants.length === 0) throw badInput(`the rule ${rule.name} has no constant to choose from`);
  const tables: number[][][] = [];
  const backbones = sweeps.map((sweep): BackboneRegret => {
    const others = sweeps.filter((other) => other !== sweep);
    const constant = bestConstant(others, rule);
    const wanted = rule.choose(sweep.facts, constant);
    const chosen = nearestSetting(sweep, wanted);
    const best = bestOnDev(sweep);
    const table = differences(best.eval, chosen.eval, sweep.backbone);
    tables.push(table);
    return {
      backbone: sweep.backbone,
      constant,
      wanted,
      factor: chosen.factor,
      bestFactor: best.factor,
      regret: crossedInterval(table),
    };
  });
  return {
    rule: rule.name,
    backbones,
    mean: crossedInterval(meanTable(tables)),
    worst: backbones.reduce((a, b) => (b.regret.mean > a.regret.mean ? b : a)),
  };
}

/** The constant of least mean regret on dev; of equal ones the first. */
function bestConstant<Facts>(sweeps: readonly BackboneSweep<Facts>[], rule: FactorRule<Facts>): number {
  let best = rule.constants[0]!;
  let least = Number.POSITIVE_INFINITY;
  for (const constant of rule.constants) {
    const regret = sweeps.reduce((sum, sweep) => {
      const chosen = nearestSetting(sweep, rule.choose(sweep.facts, constant));
      return sum + meanOf(bestOnDev(sweep).dev) - meanOf(chosen.dev);
    }, 0);
    if (regret < least - 1e-12) {
      least = regret;
      best = constant;
    }
  }
  return best;
}

function bestOnDev({ settings, backbone }: Pick<BackboneSweep<unknown>, 'settings' | 'backbone'>): SweptSetting {
  if (settings.length === 0) throw badInput(`the backbone ${backbone} has no settings`);
  return settings.reduce((a, b) => (meanOf(b.dev) > meanOf(a.dev) ? b : a));
}

/** The setting whose factor is nearest in ratio; of two equally near ones the first. */
function nearestSetting({ settings, backbone }: BackboneSweep<unknown>, wanted: number): SweptSetting {
  if (!(wanted > 0)) throw badInput(`a rule chose the factor ${wanted} for ${backbone}`);
  const distance = (setting: SweptSetting): number => Math.abs(Math.log(setting.factor / wanted));
  return settings.reduce((a, b) => (distance(b) < distance(a) - 1e-12 ? b : a));
}

function meanOf(scores: ScoreTable): number {
  const means = seedMeans(scores);
  return means.reduce((sum, value) => sum + value, 0) / means.length;
}

function differences(a: ScoreTable, b: ScoreTable, backbone: string): number[][] {
  if (a.length !== b.length || a[0]?.length !== b[0]?.length) {
    throw badInput(`the settings of ${backbone} were not run with the same seeds and queries`);
  }
  return a.map((row, s) => row.map((value, q) => value - b[s]![q]!));
}

function meanTable(tables: readonly (readonly (readonly number[])[])[]): number[][] {
  const [first] = tables;
  for (const table of tables) {
    if (table.length !== first!.length || table[0]!.length !== first![0]!.length) {
      throw badInput('the backbones were not run with the same seeds and queries');
    }
  }
  return first!.map((row, s) =>
    row.map((_, q) => tables.reduce((sum, table) => sum + table[s]![q]!, 0) / tables.length),
  );
}
