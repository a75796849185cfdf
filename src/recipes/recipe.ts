/**
 * A training recipe: the settings of a published or tried run, where each comes from and how sure it is, and what to expect.
 * A recipe is a YAML file:
 *
 *     name: splade-max
 *     title: SPLADE-max of naver/splade
 *     source: naver/splade, configuration splade++_max       # one line
 *     needs: [a hard negative of each query]                 # of the data
 *     settings: { batchSize: 128, … }                        # by the names that finetune's settings have
 *     usualSteps: 150000                                     # where the settings do not say
 *     origins:
 *       - { from: the repository, grade: read, settings: [batchSize] }
 *     expected:
 *       - { figure: RR@10, on: MS MARCO dev, model: DistilBERT, value: 0.34, from: its README, grade: read }
 *     notes: [what else one should know]
 *
 * The settings are checked where they are used: this folder lies below training and knows no setting.
 */
import { z } from 'zod';

/**
 * How a fact is known: `read` in the primary source (code, configuration, paper), in a `digest` of it, `inferred` from such
 * facts, or `chosen` by us because no source says it.
 */
export type Grade = 'read' | 'digest' | 'inferred' | 'chosen';

/** Where settings come from. */
export interface RecipeOrigin {
  readonly from: string;
  readonly grade: Grade;
  /** Names of settings. */
  readonly settings: readonly string[];
}

/** A figure that a run of the recipe had; several steps of one figure make a curve. */
export interface ExpectedFigure {
  /** A measure (`RR@10`) or a key of metrics.jsonl. */
  readonly figure: string;
  /** Collection or data. */
  readonly on: string;
  /** What the run started from. */
  readonly model: string;
  /** The step it was measured at. @default the end */
  readonly step?: number | undefined;
  readonly value: number;
  readonly from: string;
  readonly grade: Grade;
}

/** A recipe. */
export interface Recipe {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** What it needs of the data besides pairs. */
  readonly needs: readonly string[];
  /** Settings of fine-tuning by name, unchecked. */
  readonly settings: RecipeSettings;
  /** Steps of a usual run, where the settings do not say. */
  readonly usualSteps?: number | undefined;
  readonly origins: readonly RecipeOrigin[];
  readonly expected: readonly ExpectedFigure[];
  readonly notes: readonly string[];
}

/** Settings by name, as YAML has them. */
export type RecipeSettings = Readonly<Record<string, unknown>>;

/** A recipe as it stands in a file. */
type RecipeFile = Pick<Recipe, 'name' | 'title' | 'source' | 'settings' | 'usualSteps'> & {
  readonly [Key in 'needs' | 'origins' | 'expected' | 'notes']?: Recipe[Key] | undefined;
};

const line = z.string().min(1).max(1000);
const grade = z.enum(['read', 'digest', 'inferred', 'chosen']);
const steps = z
  .int()
  .min(0)
  .max(2 ** 31);

/** The schema of {@link Recipe}. */
export const recipeSchema: z.ZodType<Recipe, RecipeFile> = z.strictObject({
  name: z
    .string()
    .max(100)
    .regex(/^[\p{L}\p{N}][\p{L}\p{N}._ -]*$/u, 'expected letters, digits, dots and dashes'),
  title: line,
  source: line,
  needs: z.array(line).max(100).default([]),
  settings: z.record(z.string(), z.unknown()),
  usualSteps: steps.optional(),
  origins: z
    .array(z.strictObject({ from: line, grade, settings: z.array(line).max(1000) }))
    .max(1000)
    .default([]),
  expected: z
    .array(
      z.strictObject({
        figure: line,
        on: line,
        model: line,
        step: steps.optional(),
        value: z.number(),
        from: line,
        grade,
      }),
    )
    .max(10_000)
    .default([]),
  notes: z.array(line).max(100).default([]),
});
