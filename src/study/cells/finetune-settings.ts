/**
 * The settings of a cell that fine-tunes: where it starts, what is done to the head, what it is trained on and measured on.
 * Every other name is a setting of fine-tuning, laid over the recipe's.
 *
 *     cell: finetune
 *     backbone: models/bert-tiny              model folder
 *     gain: 4                                 g: logits are multiplied by it first
 *     gainArm: C                              what that means: C, (Wh + b)·g; B, gWh + b; D, (Wh + b − c)·g
 *     correction: { arm: C, statistic: score-spread, target: 1 }     or { arm: D, factor: 8 }, auto, none
 *     matchLambda: false                      λ multiplied so that it weighs what it does for the backbone at gain 1
 *     recipe: lexray
 *     data: collections/titles                what finetune --data takes
 *     dev: { folder: collections/titles, split: dev }        chooses the best step; without it the last one counts
 *     evaluate:
 *       - { name: eval, folder: collections/titles, split: test, documents: 5000, queries: 500 }
 *     prunings: [0/0, 7/20, 5/20, 5/10]
 *     learningRate: 1e-4
 */
import { z } from 'zod';
import { parseMeasure } from '../../evaluate/measures/parse-measure.ts';
import { checkCorrection, correctionArms } from '../../head/correction.ts';
import { findStatistic } from '../../head/targets/registry.ts';
import { statisticNames } from '../../head/targets/statistic-names.ts';
import { loadRecipe } from '../../recipes/load-recipe.ts';
import { type FinetuneConfig, type FinetuneSettings, finetuneConfigSchema } from '../../train/finetune-config.ts';
import { recipeSettings } from '../../train/recipe-settings.ts';
import { LexrayError } from '../../util/errors.ts';
import { complaintOf } from '../../util/schema-complaint.ts';
import type { Settings } from '../design.ts';
import { defaultGrid, parseGridPoint } from '../pruning-grid.ts';
import type { InputDigests, MeasuredNames } from './cell-kind.ts';

/** What is done to the head of a scaled backbone before training. */
export type CellCorrection =
  | 'none'
  /** What `finetune --calibrate auto` does, by the verdicts of today. */
  | 'auto'
  | {
      readonly arm: (typeof correctionArms)[number];
      /** k, given; else a statistic finds it. */
      readonly factor?: number | undefined;
      readonly statistic?: (typeof statisticNames)[number] | undefined;
      readonly target?: number | undefined;
      /** c of arm D. @default from the activation rate */
      readonly shift?: number | undefined;
      /** P(z > 0) of a token and a term that the shift of arm D aims at. @default 0.4, that of the calibration study's runs */
      readonly activationRate?: number | undefined;
      /** `untied` with factor 1 is the control of untying alone. */
      readonly route?: 'norm' | 'untied' | undefined;
      /**
       * What k is applied to: the weights, once; the logits, at every step of training (a constant divisor); or neither, but the
       * head's learning rate is multiplied by it. The last two are controls, of arm C. @default 'weights'
       */
      readonly by?: 'weights' | 'divisor' | 'learning-rate' | undefined;
    };

/** A collection and the queries that are taken of it. */
export interface CellCollection {
  readonly folder: string;
  readonly split: string;
  /** Judged documents and a sample of the others, so many at most, the same for every cell. @default all */
  readonly documents?: number | undefined;
  /** A sample of the queries, so many at most, the same for every cell. @default all */
  readonly queries?: number | undefined;
}

/** Settings of a cell, resolved. */
export interface FinetuneCellSettings {
  readonly backbone: string;
  readonly gain: number;
  /** The arm of which the gain is the inverse factor; D shifts too, by its activation rate. */
  readonly gainArm: 'B' | 'C' | 'D';
  readonly correction: CellCorrection;
  /** Whether λ is multiplied so that it weighs beside the loss what it does for the backbone at gain 1. */
  readonly matchLambda: boolean;
  readonly recipe: string;
  readonly data: string;
  readonly dev: CellCollection | undefined;
  readonly evaluate: readonly (CellCollection & { readonly name: string })[];
  readonly prunings: readonly string[];
  readonly measures: readonly string[];
  /** Also record which factors the statistics would choose, where no correction is made. */
  readonly proposals: boolean;
  /** Settings of fine-tuning, without a seed. */
  readonly training: Omit<FinetuneConfig, 'seed'>;
}

const collection = {
  folder: z.string().min(1),
  split: z.string().min(1),
  documents: z.int().min(1).optional(),
  queries: z.int().min(1).optional(),
};
const positive = z.number().positive();
const own = z.strictObject({
  cell: z.literal('finetune'),
  backbone: z.string().min(1),
  gain: positive.default(1),
  gainArm: z.enum(['B', 'C', 'D']).default('C'),
  correction: z
    .union([
      z.enum(['none', 'auto']),
      z
        .strictObject({
          arm: z.enum(correctionArms as ['A', 'B', 'C', 'D', 'E']),
          factor: positive.optional(),
          statistic: z.enum(statisticNames).optional(),
          target: positive.optional(),
          shift: z.number().optional(),
          activationRate: z.number().gt(0).lt(1).optional(),
          route: z.enum(['norm', 'untied']).optional(),
          by: z.enum(['weights', 'divisor', 'learning-rate']).optional(),
        })
        .refine(({ arm, by = 'weights', route }) => by === 'weights' || (arm === 'C' && route === undefined), {
          message: 'a divisor and a learning rate of the head are of arm C, and have no route',
        })
        .refine(({ factor, statistic }) => (factor === undefined) !== (statistic === undefined), {
          message: 'expected a factor or a statistic',
        }),
    ])
    .default('none'),
  matchLambda: z.boolean().default(false),
  recipe: z.string().min(1).default('lexray'),
  data: z.string().min(1),
  dev: z.strictObject({ ...collection, split: collection.split.default('dev') }).optional(),
  evaluate: z
    .array(
      z.strictObject({ ...collection, name: z.string().regex(/^[\w.-]+$/), split: collection.split.default('test') }),
    )
    .min(1),
  prunings: z
    .array(z.string())
    .min(1)
    .default([...defaultGrid]),
  measures: z.array(z.string()).min(1).default(['nDCG@10', 'RR@10', 'R@10']),
  proposals: z.boolean().default(true),
});

/** Settings of fine-tuning that a cell decides itself. */
const decided = ['seed', 'calibrate', 'headCheck', 'matchRegularizers'] as const;

/**
 * Reads the settings of a cell.
 * @throws LexrayError CONFIG when a setting is not known or does not fit
 */
export function parseFinetuneCell(settings: Settings): FinetuneCellSettings {
  const names = new Set(Object.keys(own.shape));
  const pick = (wanted: boolean): Settings =>
    Object.fromEntries(Object.entries(settings).filter(([name]) => names.has(name) === wanted));
  const chosen = pick(true);
  const parsed = own.safeParse(chosen);
  if (!parsed.success) throw misfit(parsed.error.issues[0]!, chosen);
  const given = pick(false);
  for (const name of decided) {
    if (given[name] !== undefined) {
      throw new LexrayError('CONFIG', `the setting ${name} is not for a study`, {
        cure: 'seeds are listed in the design; the head is corrected by "correction"',
      });
    }
  }
  const { cell: _, ...data } = parsed.data;
  if (given.headDivisor !== undefined && data.correction !== 'none') {
    throw new LexrayError(
      'CONFIG',
      'setting headDivisor: a head is corrected, or divided while it is trained, not both',
      {
        cure: 'leave out one of them; a statistic finds the divisor with correction: { arm: C, statistic, by: divisor }',
      },
    );
  }
  if (new Set(data.evaluate.map(({ name }) => name)).size < data.evaluate.length) {
    throw new LexrayError('CONFIG', 'evaluate: two collections have the same name');
  }
  data.prunings.forEach(parseGridPoint);
  const measures = data.measures.map((one) => nameOfMeasure(one, 'measures'));
  checkCellCorrection(data.correction);
  const laid = { ...recipeSettings(loadRecipe(data.recipe)), ...given } as FinetuneSettings;
  // A run that collapses is a result: it goes on to its end.
  const complete = { ...laid, guard: { mode: 'warn', ...laid.guard }, headCheck: false };
  const training = finetuneConfigSchema.safeParse(complete);
  if (!training.success) throw misfit(training.error.issues[0]!, complete);
  nameOfMeasure(training.data.devMeasure, 'devMeasure');
  const { seed: _seed, ...config } = training.data;
  return { ...data, measures, dev: data.dev, training: config };
}

/** The name of a measure as scores have it. */
function nameOfMeasure(given: string, setting: string): string {
  try {
    return parseMeasure(given).name;
  } catch (error) {
    throw inSetting(setting, error);
  }
}

/** What would be found when the cell runs: a factor that cannot be, an arm or a target that a statistic does not serve. */
function checkCellCorrection(correction: CellCorrection): void {
  if (typeof correction === 'string') return;
  const { arm, factor, statistic, target, shift = 0, route } = correction;
  try {
    checkCorrection({ arm, factor: factor ?? 1, shift });
  } catch (error) {
    throw inSetting('correction', error);
  }
  if ((arm === 'A' && route !== undefined) || (arm === 'E' && route === 'norm')) {
    throw new LexrayError('CONFIG', `setting correction: arm ${arm} cannot be stored by the route ${route}`, {
      cure: 'leave out the route',
    });
  }
  if (statistic === undefined) return;
  const { arms, goal } = findStatistic(statistic);
  if (!arms.includes(arm)) {
    throw new LexrayError('CONFIG', `setting correction: ${statistic} finds no factor for arm ${arm}`, {
      cure: `take arm ${arms.join(' or ')}, or give a factor`,
    });
  }
  if (goal.kind === 'least' && target !== undefined) {
    throw new LexrayError(
      'CONFIG',
      `setting correction: ${statistic} is a minimum and takes no target, got ${target}`,
      {
        cure: 'leave out the target',
      },
    );
  }
}

function inSetting(name: string, error: unknown): unknown {
  if (!(error instanceof LexrayError)) return error;
  return new LexrayError('CONFIG', `setting ${name}: ${error.message}`, {
    cause: error,
    ...(error.cure !== undefined && { cure: error.cure }),
  });
}

/** What queries of a cell are scored by, as its line has it. */
export function measuredBy({ evaluate, prunings, measures }: FinetuneCellSettings): MeasuredNames {
  return {
    collections: evaluate.flatMap(({ name }) => prunings.map((pruning) => `${name} ${pruning}`)),
    measures: [...measures, 'FLOPS'],
  };
}

/** The same as plain settings, with the digests of all that they name. */
export function resolvedFinetuneCell(cell: FinetuneCellSettings, digests: InputDigests): Settings {
  const { training, backbone, data, dev, evaluate, ...rest } = cell;
  const withDigest = <T extends { readonly folder: string }>(one: T): T & { sha256: string | undefined } => ({
    ...one,
    sha256: digests.get(one.folder),
  });
  const resolved = {
    cell: 'finetune',
    ...rest,
    backbone: { path: backbone, sha256: digests.get(backbone) },
    data: { path: data, sha256: digests.get(data) },
    dev: dev && withDigest(dev),
    evaluate: evaluate.map(withDigest),
    ...training,
  };
  // What is undefined is left out.
  return JSON.parse(JSON.stringify(resolved)) as Settings;
}

function misfit(issue: z.core.$ZodIssue, value: unknown): LexrayError {
  const complaint =
    issue.code === 'unrecognized_keys'
      ? `there is no setting ${[...issue.path, issue.keys.join(', ')].join('.')}`
      : `setting ${issue.path.join('.')}: ${complaintOf(issue, value)}`;
  return new LexrayError('CONFIG', complaint, { cure: 'docs/cli.md, "lexray study", says what a cell takes' });
}
