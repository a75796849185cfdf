/** What the card of a pre-trained model says: data with licences, settings, the curve of the run, what it cost. */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { ModelCard } from '../../checkpoint/layouts/model-card.ts';
import type { MetricsRow } from '../metrics-log.ts';
import type { PretrainConfig } from './pretrain-config.ts';
import { isEvaluation, type PretrainOutcome } from './pretrain-loop.ts';

/** What only the user knows. */
export interface CardNotes {
  readonly title?: string | undefined;
  /** SPDX identifier as the hub spells it. */
  readonly license?: string | undefined;
  /** ISO 639-1 codes. */
  readonly languages?: readonly string[] | undefined;
  /** Markdown on the texts: what they are, and their licences. */
  readonly data?: string | undefined;
}

/** What the card is made from. */
export interface PretrainingCardFacts {
  readonly notes: CardNotes | undefined;
  readonly config: PretrainConfig;
  /** What was masked together. */
  readonly units: NonNullable<PretrainConfig['units']>;
  readonly outcome: PretrainOutcome;
  /** Lines of metrics.jsonl. */
  readonly rows: readonly MetricsRow[];
  readonly parameters: number;
  readonly files: readonly string[];
  /** SHA-256 by path. */
  readonly parents: Readonly<Record<string, string>>;
  readonly machine: string;
}

/** The card. */
export async function pretrainingCard(facts: PretrainingCardFacts): Promise<ModelCard> {
  const { notes, outcome, parameters, machine } = facts;
  const sections = [
    'A masked language model of Lexray, as a backbone: it has not been trained for retrieval. `lexray finetune` makes a sparse retriever of it, and transformers opens it with `AutoModelForMaskedLM`.',
    `## Data\n\n${await dataTable(facts)}${notes?.data === undefined ? '' : `\n\n${notes.data.trim()}`}`,
    `## Training\n\n${settingsText(facts)}`,
    `### Curve, on texts that are held out\n\n${curveTable(facts.rows)}`,
    `### Cost\n\n${Math.round(outcome.seconds)} s for ${outcome.tokens} tokens with ${parameters} parameters, evaluations included, on ${machine}.`,
  ];
  return {
    title: notes?.title ?? 'Masked language model',
    tags: ['fill-mask', 'pre-trained'],
    ...(notes?.license !== undefined && { license: notes.license }),
    ...(notes?.languages !== undefined && { languages: notes.languages }),
    body: sections.join('\n\n'),
  };
}

async function dataTable({ files, parents }: PretrainingCardFacts): Promise<string> {
  const rows: string[] = [];
  for (const file of files) {
    const { size } = await stat(file);
    rows.push(`| ${basename(file)} | ${size} | \`${parents[file]?.slice(0, 16) ?? ''}\` |`);
  }
  return ['| file | bytes | SHA-256 begins |', '|---|---:|---|', ...rows].join('\n');
}

function settingsText({ config, units, outcome }: PretrainingCardFacts): string {
  const replaced = config.replacement === 'bert' ? '80 % [MASK], 10 % random, 10 % kept' : 'always [MASK]';
  const arranged = config.arrangement === 'pack' ? 'texts packed' : 'texts apart';
  return [
    `${outcome.steps} steps of ${config.batchSize * config.accumulationSteps} sequences of at most ${config.length} tokens, ${arranged}; ${outcome.tokens} tokens in ${outcome.passes} ${outcome.passes === 1 ? 'pass' : 'passes'}.`,
    `${config.maskingRate * 100} % of the tokens masked by ${units} (${replaced}).`,
    `AdamW, learning rate ${config.learningRate} (${config.schedule}, warm-up ${config.warmupRatio * 100} %), weight decay ${config.weightDecay}, β ${config.beta1} and ${config.beta2}, gradients clipped to ${config.maxGradientNorm}, dropout ${config.dropoutRate}, seed ${config.seed}.`,
  ].join(' ');
}

function curveTable(rows: readonly MetricsRow[]): string {
  const lines = rows.filter(isEvaluation).map((row) => {
    const figure = (name: string, digits: number): string => row[name]?.toFixed(digits) ?? '';
    return `| ${row.step} | ${row.tokens} | ${figure('eval_loss', 3)} | ${figure('eval_accuracy', 4)} | ${figure('eval_logit_score_std', 3)} | ${figure('eval_non_neg_terms_avg', 0)} |`;
  });
  if (lines.length === 0) return 'not measured';
  return [
    '| step | tokens | loss | accuracy at masks | logit std over texts | terms ≥ 0 of a text |',
    '|---:|---:|---:|---:|---:|---:|',
    ...lines,
  ].join('\n');
}
