/**
 * The design of a study, written before its runs: a YAML file that says which settings are fixed, which are varied on purpose
 * (factors and their levels), which combinations are run with which seeds, and which contrasts are asked about.
 *
 *     name: scale-and-collapse
 *     fixed: { data: pairs, maxSteps: 300 }
 *     factors:
 *       learningRate: [1e-4, 3e-5]                  # levels of the setting of that name
 *       vocabulary:                                 # a level that means several settings
 *         levels:
 *           word-piece: { tokenizer: wp, documentTopTerms: 1000 }
 *           expanded: { tokenizer: xp, documentTopTerms: 2000 }
 *         implies: [dimensions]                     # settings that follow from the level
 *     seeds: [1, 2, 3]
 *     runs: all                                     # or a list: { vocabulary: expanded, seeds: [1, 2, 3, 4] }
 *     contrasts:
 *       - { name: expanded is better, measure: nDCG@10, plus: { vocabulary: expanded }, minus: { vocabulary: word-piece } }
 */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { LexrayError } from '../util/errors.ts';
import { schemaComplaint } from '../util/schema-complaint.ts';
import { designRuns } from './cells.ts';
import { contrastSides } from './contrast-sides.ts';

/** What a setting may be. */
export type SettingValue =
  | string
  | number
  | boolean
  | null
  | readonly SettingValue[]
  | { readonly [name: string]: SettingValue };

/** Settings by name. */
export type Settings = Readonly<Record<string, SettingValue>>;

/** Something that is varied. */
export interface Factor {
  /** The settings of each level, by its name. */
  readonly levels: Readonly<Record<string, Settings>>;
  /** Settings that no level names but that follow from it: what a recipe brings, the size of a vocabulary. */
  readonly implies: readonly string[];
}

/** The level of each factor, by factor. */
export type Levels = Readonly<Record<string, string>>;

/** Combinations of levels; a factor that is left out takes all its levels. */
export interface RunSpec {
  readonly levels: Readonly<Record<string, readonly string[]>>;
  /** @default those of the design */
  readonly seeds?: readonly number[] | undefined;
}

/** A question: do the cells of one side score better than those of the other? */
export interface AskedContrast {
  readonly name: string;
  /** Contrasts of one family are corrected together. @default 'primary' */
  readonly family: string;
  readonly measure: string;
  /** Which set of queries, where a run is measured on several. @default the only one */
  readonly collection?: string | undefined;
  /** The cells that must be better, by the levels of some factors; their mean counts. */
  readonly plus: Levels;
  readonly minus: Levels;
  /** The seeds that count, where the sides have not the same ones. @default those of the runs */
  readonly seeds?: readonly number[] | undefined;
}

/** A question that was asked before the runs, with what was expected. */
export interface DeclaredContrast extends AskedContrast {
  readonly claim: 'positive' | 'negative' | 'none';
  /** The least effect that matters. */
  readonly matters: number;
}

/** A study. */
export interface StudyDesign {
  readonly name: string;
  readonly fixed: Settings;
  readonly factors: Readonly<Record<string, Factor>>;
  readonly seeds: readonly number[];
  readonly runs: readonly RunSpec[];
  readonly contrasts: readonly DeclaredContrast[];
}

const value: z.ZodType<SettingValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(value), z.record(z.string(), value)]),
);
const settings = z.record(z.string(), value);
const level = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const levels = z.record(z.string(), level);
const seeds = z.array(z.int().min(0)).min(1);
const factor = z.union([
  z.array(z.union([z.string(), z.number(), z.boolean()])).min(1),
  z.strictObject({
    levels: z.record(z.string(), settings),
    implies: z.array(z.string()).default([]),
  }),
]);
const asked = z.strictObject({
  name: z.string().min(1),
  family: z.string().min(1).default('primary'),
  measure: z.string().min(1),
  collection: z.string().optional(),
  plus: levels,
  minus: levels,
  seeds: seeds.optional(),
});
const declared = asked.extend({
  claim: z.enum(['positive', 'negative', 'none']).default('positive'),
  matters: z.number().min(0).default(0),
});
const schema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'expected letters, digits, dots, dashes'),
  description: z.string().optional(),
  fixed: settings.default({}),
  factors: z.record(z.string(), factor),
  seeds,
  runs: z
    .union([
      z.literal('all'),
      z.array(z.looseObject({ seeds: seeds.optional() }).catchall(z.union([level, z.array(level).min(1)]))).min(1),
    ])
    .default('all'),
  contrasts: z.array(declared).default([]),
});

const largestDesign = 1 << 20;

/**
 * Reads a design file.
 * @throws LexrayError CONFIG when it cannot be read, is not YAML, or breaks a rule of the form
 */
export async function readDesign(path: string): Promise<StudyDesign> {
  return parseDesign(await readSmall(path), path);
}

async function readSmall(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > largestDesign) throw new Error(`it has ${size} bytes, more than ${largestDesign}`);
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new LexrayError('CONFIG', `cannot read the design: ${(cause as Error).message}`, {
      where: path,
      cause,
      cure: 'check the path',
    });
  }
}

/**
 * Reads a design.
 * @param where what it is, for errors
 * @throws LexrayError CONFIG when it is not YAML, or breaks a rule of the form
 */
export async function parseDesign(text: string, where = 'design'): Promise<StudyDesign> {
  const content = await parseYaml(text, where);
  const parsed = schema.safeParse(content);
  if (!parsed.success) throw misfit(schemaComplaint(parsed.error, content, 'the design'), where);
  const { data } = parsed;
  const factors = Object.fromEntries(
    Object.entries(data.factors).map(([name, given]) => [name, factorOf(name, given, where)]),
  );
  const design: StudyDesign = {
    name: data.name,
    fixed: data.fixed,
    factors,
    seeds: data.seeds,
    runs: data.runs === 'all' ? [{ levels: {} }] : data.runs.map(runOf),
    contrasts: data.contrasts,
  };
  checkFactors(design, where);
  for (const { levels: named } of design.runs) checkLevels(design, named, where);
  checkContrasts(design, design.contrasts, where);
  return design;
}

/** Contrasts that were asked after the runs were seen: of a study that has a design, and not part of it. */
export interface ExploratoryContrasts {
  /** The name of the study. */
  readonly study: string;
  readonly contrasts: readonly AskedContrast[];
}

const exploratory = z.strictObject({
  study: z.string().min(1),
  description: z.string().optional(),
  // The same difference on several collections is as many contrasts.
  contrasts: z.array(asked.extend({ collection: z.union([z.string(), z.array(z.string()).min(1)]).optional() })).min(1),
});

/**
 * Reads exploratory contrasts.
 * @param designs of the studies that they may be of
 * @throws LexrayError CONFIG as {@link readDesign}, or when there is no such study
 */
export async function readExploratory(path: string, designs: readonly StudyDesign[]): Promise<ExploratoryContrasts> {
  const content = await parseYaml(await readSmall(path), path);
  const parsed = exploratory.safeParse(content);
  if (!parsed.success) throw misfit(schemaComplaint(parsed.error, content, 'the contrasts'), path);
  const { study } = parsed.data;
  const contrasts = parsed.data.contrasts.flatMap(({ collection, ...one }) =>
    Array.isArray(collection) ? collection.map((each) => ({ ...one, collection: each })) : [{ ...one, collection }],
  );
  const design = designs.find(({ name }) => name === study);
  if (design === undefined) {
    throw new LexrayError('CONFIG', `the contrasts are of the study ${study}, whose design is not given`, {
      where: path,
      cure: 'name it with --design',
    });
  }
  checkContrasts(design, contrasts, path);
  return { study, contrasts };
}

async function parseYaml(text: string, where: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw misfit(`the design is not YAML: ${(cause as Error).message.split('\n')[0]}`, where);
  }
}

function checkContrasts(design: StudyDesign, contrasts: readonly AskedContrast[], where: string): void {
  const runs = designRuns(design, where);
  for (const contrast of contrasts) {
    for (const side of [contrast.plus, contrast.minus]) {
      checkLevels(design, Object.fromEntries(Object.entries(side).map(([name, one]) => [name, [one]])), where);
    }
    contrastSides(contrast, runs, where);
  }
}

function factorOf(name: string, given: z.infer<typeof factor>, where: string): Factor {
  if (!Array.isArray(given)) return given;
  const names = new Set<string>();
  for (const one of given.map(String)) {
    if (names.has(one)) throw misfit(`factors.${name}: the level ${one} occurs twice`, where);
    names.add(one);
  }
  return { levels: Object.fromEntries(given.map((one) => [String(one), { [name]: one }])), implies: [] };
}

function runOf({ seeds: ofRun, ...named }: Record<string, unknown> & { seeds?: number[] | undefined }): RunSpec {
  const levelsOf = Object.entries(named).map(([name, one]) => [name, (Array.isArray(one) ? one : [one]) as string[]]);
  return { levels: Object.fromEntries(levelsOf) as RunSpec['levels'], ...(ofRun && { seeds: ofRun }) };
}

/** A setting belongs to one factor, or is fixed; a seed is neither. */
function checkFactors({ factors, fixed, seeds: all }: StudyDesign, where: string): void {
  const owner = new Map(Object.keys(fixed).map((name) => [name, 'the fixed settings']));
  if (new Set(all).size < all.length) throw misfit('seeds: a seed occurs twice', where);
  if (owner.has('seed')) throw misfit('fixed: seed is set by the list of seeds', where);
  for (const [name, { levels: of }] of Object.entries(factors)) {
    if (Object.keys(of).length === 0) throw misfit(`factors.${name}: expected a level`, where);
    for (const setting of new Set(Object.values(of).flatMap((one) => Object.keys(one)))) {
      const other = owner.get(setting);
      if (setting === 'seed') throw misfit(`factors.${name}: seed is set by the list of seeds`, where);
      if (other !== undefined) throw misfit(`factors.${name}: ${setting} is set by ${other} too`, where);
      owner.set(setting, `the factor ${name}`);
    }
  }
}

function checkLevels(
  { factors }: StudyDesign,
  named: Readonly<Record<string, readonly string[]>>,
  where: string,
): void {
  for (const [name, wanted] of Object.entries(named)) {
    const known = Object.hasOwn(factors, name) ? factors[name] : undefined;
    if (known === undefined) {
      throw misfit(`there is no factor ${JSON.stringify(name)}; there are: ${Object.keys(factors).join(', ')}`, where);
    }
    for (const one of wanted) {
      if (!Object.hasOwn(known.levels, one)) {
        throw misfit(
          `the factor ${name} has no level ${JSON.stringify(one)}; it has: ${Object.keys(known.levels).join(', ')}`,
          where,
        );
      }
    }
  }
}

function misfit(message: string, where: string): LexrayError {
  return new LexrayError('CONFIG', message, { where, cure: 'mend the design file' });
}
