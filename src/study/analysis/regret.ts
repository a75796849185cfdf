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

/** What was chosen for one backbone. */
export interface BackboneChoice {
  readonly backbone: string;
  /** The rule, and its constant, that the other backbones chose; undefined where nothing was to be chosen. */
  readonly rule?: string | undefined;
  readonly constant?: number | undefined;
  /** What the rule asked for, and the nearest factor that was run. */
  readonly wanted: number;
  readonly factor: number;
  /** Scores on eval with that factor. */
  readonly eval: ScoreTable;
}

/** What a rule did on one backbone. */
export interface BackboneRegret extends BackboneChoice {
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
  return judgeRules(sweeps, rule.name, [rule]);
}

/**
 * Judges the choice among rules: each backbone gets the rule, and its constant, that are best on the others.
 * @param name of the choice
 * @throws LexrayError as {@link judgeRule}
 */
export function judgeRules<Facts>(
  sweeps: readonly BackboneSweep<Facts>[],
  name: string,
  rules: readonly FactorRule<Facts>[],
): RuleRegret {
  if (sweeps.length < 2) throw badInput(`leaving one backbone out needs two, got ${sweeps.length}`);
  const choices = sweeps.map((sweep): BackboneChoice => {
    const others = sweeps.filter((other) => other !== sweep);
    const fitted = rules.map((rule) => ({ rule, ...bestConstant(others, rule) }));
    const { rule, constant } = fitted.reduce((a, b) => (b.regret < a.regret - 1e-12 ? b : a));
    const wanted = rule.choose(sweep.facts, constant);
    const chosen = nearestSetting(sweep, wanted);
    return {
      ...{ backbone: sweep.backbone, rule: rule.name },
      ...(rule.constants.length > 1 && { constant }),
      ...{ wanted, factor: chosen.factor, eval: chosen.eval },
    };
  });
  return judgeChoices(sweeps, name, choices);
}

/**
 * Judges what was chosen, however that was, and was perhaps no swept setting.
 * @param choices one for each backbone, in the order of the sweeps
 * @throws LexrayError BAD_INPUT when tables differ in seeds or queries
 */
export function judgeChoices(
  sweeps: readonly BackboneSweep<unknown>[],
  name: string,
  choices: readonly BackboneChoice[],
): RuleRegret {
  const best = sweeps.map(bestOnDev);
  const tables = choices.map((choice, i) => differences(best[i]!.eval, choice.eval, choice.backbone));
  const backbones = choices.map(
    (choice, i): BackboneRegret => ({
      ...choice,
      bestFactor: best[i]!.factor,
      regret: crossedInterval(tables[i]!),
    }),
  );
  return {
    rule: name,
    backbones,
    mean: crossedInterval(meanTable(tables)),
    worst: backbones.reduce((a, b) => (b.regret.mean > a.regret.mean ? b : a)),
  };
}

/**
 * What was chosen against another choice: the mean over the backbones of the difference on eval.
 * @throws LexrayError BAD_INPUT when tables differ in seeds or queries
 */
export function choiceDifference(
  choices: readonly BackboneChoice[],
  others: readonly Pick<BackboneChoice, 'eval'>[],
): CrossedInterval {
  return crossedInterval(
    meanTable(choices.map((choice, i) => differences(choice.eval, others[i]!.eval, choice.backbone))),
  );
}

/** The constant of least regret on dev, summed over the backbones; of equal ones the middle one, so that no edge of a plateau is chosen. */
function bestConstant<Facts>(
  sweeps: readonly BackboneSweep<Facts>[],
  rule: FactorRule<Facts>,
): { readonly constant: number; readonly regret: number } {
  if (rule.constants.length === 0) throw badInput(`the rule ${rule.name} has no constant to choose from`);
  const regrets = rule.constants.map((constant) =>
    sweeps.reduce((sum, sweep) => {
      const chosen = nearestSetting(sweep, rule.choose(sweep.facts, constant));
      return sum + meanOf(bestOnDev(sweep).dev) - meanOf(chosen.dev);
    }, 0),
  );
  const regret = Math.min(...regrets);
  const best = rule.constants.filter((_, i) => regrets[i]! <= regret + 1e-12);
  return { constant: best[Math.floor((best.length - 1) / 2)]!, regret };
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
