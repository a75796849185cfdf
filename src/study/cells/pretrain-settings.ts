/**
 * The settings of a cell that pre-trains and then fine-tunes. What begins with `pretrain.` is of pre-training, so that each can
 * be a factor by itself; every other name is a setting of a cell that fine-tunes, without `backbone`.
 *
 *     cell: pretrain
 *     pretrain.model: models/lexray-tiny                    the common checkpoint
 *     pretrain.texts: [texts/wiki.jsonl.gz]                 files or folders
 *     pretrain.heldOut: { titles: [texts/held-out.jsonl] }  what loss, accuracy and statistics are measured on, by name
 *     pretrain.tokens: 5000000
 *     pretrain.repeat: 4                                    unique fraction 1/4
 *     pretrain.learningRate: 1e-3                           0: the checkpoint as it is
 *     pretrain.leakage: refuse                              or report
 *     pretrain.seed: 1                                      unless given, the seed of the cell
 *     finetuneSeed: 1                                       unless given, the seed of the cell
 */
import { z } from 'zod';
import {
  type PretrainConfig,
  type PretrainSettings,
  resolvePretrainConfig,
} from '../../train/pretrain/pretrain-config.ts';
import type { TextForm } from '../../train/pretrain/pretrain-session.ts';
import { LexrayError } from '../../util/errors.ts';
import { complaintOf } from '../../util/schema-complaint.ts';
import type { Settings } from '../design.ts';
import type { InputDigests } from './cell-kind.ts';
import { type FinetuneCellSettings, parseFinetuneCell, resolvedFinetuneCell } from './finetune-settings.ts';

/** What is pre-trained, and how. */
export interface CellPretraining {
  /** Model folder to start from. */
  readonly model: string;
  readonly texts: readonly string[];
  /** Texts to measure on, by name. @default a share of the texts, named `own` */
  readonly heldOut: Readonly<Record<string, readonly string[]>> | undefined;
  readonly form: TextForm;
  /** What is done when held-out texts are among the texts. @default 'refuse' */
  readonly leakage: 'refuse' | 'report';
  /** @default the seed of the cell */
  readonly seed: number | undefined;
  /** Settings of pre-training, without a seed. */
  readonly config: Omit<PretrainConfig, 'seed'>;
}

/** Settings of a cell, resolved. */
export interface PretrainCellSettings {
  readonly pretraining: CellPretraining;
  /** @default the seed of the cell */
  readonly finetuneSeed: number | undefined;
  /** Settings of fine-tuning; the backbone has no path yet. */
  readonly finetuning: Settings;
}

const prefix = 'pretrain.';
const paths = z.array(z.string().min(1)).min(1);
const seed = z.int().min(0).optional();
const own = z.strictObject({
  model: z.string().min(1),
  texts: paths,
  heldOut: z
    .record(z.string().regex(/^[\w.-]+$/), paths)
    .refine((sets) => Object.keys(sets).length > 0, { message: 'expected a name with files' })
    .optional(),
  leakage: z.enum(['refuse', 'report']).default('refuse'),
  seed,
  format: z.enum(['jsonl', 'tsv', 'txt']).optional(),
  fields: z.array(z.string()).min(1).optional(),
  column: z.int().min(1).optional(),
  invalidUtf8: z.enum(['skip', 'replace']).optional(),
});

/** Stands for the backbone until it is made. */
const unmade = 'pretrained';

/**
 * Reads the settings of a cell.
 * @throws LexrayError CONFIG when a setting is not known or does not fit
 */
export function parsePretrainCell(settings: Settings): PretrainCellSettings {
  const { cell: _, finetuneSeed: givenSeed, ...others } = settings;
  const names = Object.keys(others);
  const ofPretraining = Object.fromEntries(
    names.filter((name) => name.startsWith(prefix)).map((name) => [name.slice(prefix.length), others[name]!]),
  );
  const ofFinetuning = Object.fromEntries(
    names.filter((name) => !name.startsWith(prefix)).map((name) => [name, others[name]!]),
  );
  if (ofFinetuning.backbone !== undefined) {
    throw new LexrayError('CONFIG', 'setting backbone: the backbone of this cell is what it pre-trains', {
      cure: 'name the model to start from as pretrain.model',
    });
  }
  const ownNames = new Set(Object.keys(own.shape));
  const pick = (wanted: boolean): Record<string, unknown> =>
    Object.fromEntries(Object.entries(ofPretraining).filter(([name]) => ownNames.has(name) === wanted));
  const chosen = pick(true);
  const parsed = own.safeParse(chosen);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw misfit(`${prefix}${issue!.path.join('.')}`, complaintOf(issue!, chosen));
  }
  const finetuneSeed = seed.safeParse(givenSeed);
  if (!finetuneSeed.success) throw misfit('finetuneSeed', complaintOf(finetuneSeed.error.issues[0]!, givenSeed));
  const finetuning = { ...ofFinetuning, cell: 'finetune', backbone: unmade };
  parseFinetuneCell(finetuning);
  const { model, texts, heldOut, leakage, seed: ownSeed, ...form } = parsed.data;
  const { seed: _seed, ...config } = resolveConfig(pick(false));
  return {
    pretraining: { model, texts, heldOut, form, leakage, seed: ownSeed, config },
    finetuneSeed: finetuneSeed.data,
    finetuning,
  };
}

/** Settings of fine-tuning as {@link FinetuneCellSettings}, for what is measured and trained on. */
export function finetuningOf({ finetuning }: PretrainCellSettings): FinetuneCellSettings {
  return parseFinetuneCell(finetuning);
}

/** The same as plain settings, with the digests of all that they name. */
export function resolvedPretrainCell(cell: PretrainCellSettings, digests: InputDigests): Settings {
  const { backbone: _, ...finetuning } = resolvedFinetuneCell(finetuningOf(cell), digests);
  const resolved = {
    ...finetuning,
    cell: 'pretrain',
    finetuneSeed: cell.finetuneSeed,
    pretrain: resolvedPretraining(cell.pretraining, digests),
  };
  return JSON.parse(JSON.stringify(resolved)) as Settings;
}

/** All that a pre-training follows from, but the seed where it is that of the cell. */
export function resolvedPretraining(
  { model, texts, heldOut, form, config, leakage, seed: ownSeed }: CellPretraining,
  digests: InputDigests,
): Settings {
  const withDigest = (path: string): Settings => ({ path, sha256: digests.get(path) ?? null });
  const sets = Object.entries(heldOut ?? {}).map(([name, files]) => [name, files.map(withDigest)] as const);
  const resolved = {
    ...config,
    ...form,
    leakage,
    seed: ownSeed,
    model: withDigest(model),
    texts: texts.map(withDigest),
    heldOut: heldOut && Object.fromEntries(sets),
  };
  // What is undefined is left out.
  return JSON.parse(JSON.stringify(resolved)) as Settings;
}

function resolveConfig(given: Record<string, unknown>): PretrainConfig {
  try {
    return resolvePretrainConfig(given as PretrainSettings);
  } catch (error) {
    if (!(error instanceof LexrayError)) throw error;
    throw new LexrayError('CONFIG', error.message.replace(/^setting /, `setting ${prefix}`), {
      cause: error,
      cure: 'docs/cli.md, "lexray study", says what a cell takes',
    });
  }
}

function misfit(name: string, message: string): LexrayError {
  return new LexrayError('CONFIG', `setting ${name}: ${message}`, {
    cure: 'docs/cli.md, "lexray study", says what a cell takes',
  });
}
