/**
 * The page of a diagnosis: whether the head of a model is fit to be trained, why, what it looks like, and what a factor
 * would do to it, with a slider over k.
 */
import type { Diagnosis } from '../head/diagnose.ts';
import { factorsSection, sliderScript, sliderStyle } from './diagnosis/factors.ts';
import { headSection } from './diagnosis/head.ts';
import { sinksSection } from './diagnosis/sinks.ts';
import { vectorsSection } from './diagnosis/vectors.ts';
import { verdictSection } from './diagnosis/verdict.ts';
import { definitions, paragraph, renderPage, type Section, section } from './html.ts';
import { formatNumber } from './table.ts';

/** What the page is made of. */
export interface DiagnosisReportData {
  /** The model as the user named it. */
  readonly model: string;
  readonly diagnosis: Diagnosis;
  /** What made the page. */
  readonly tool: string;
  /** ISO 8601. */
  readonly created: string;
}

/** Makes the page. */
export function diagnosisReport({ model, diagnosis, tool, created }: DiagnosisReportData): string {
  const { verdicts, recipe } = diagnosis;
  const titles = verdicts.map(({ title }) => title).join(', ');
  return renderPage({
    title: `The head of ${model}`,
    lead: `For the recipe ${recipe.name}: ${titles}.`,
    sections: [
      verdictSection(model, diagnosis),
      vectorsSection(diagnosis),
      headSection(diagnosis),
      ...(diagnosis.curves.length > 0 ? [factorsSection(diagnosis)] : []),
      sinksSection(diagnosis),
      textsSection(diagnosis),
    ],
    style: sliderStyle,
    script: sliderScript,
    footer: `Made by ${tool} at ${created}. Thresholds and targets come from models of 3 million parameters (docs/findings/calibration.md).`,
  });
}

function textsSection({ texts, tokenLogits }: Diagnosis): Section {
  return section(
    'Texts',
    definitions([
      ['Texts', `${formatNumber(texts.count, 0)}, ${texts.source}`],
      ['SHA-256', texts.sha256],
      ['Tokens of a text at most', formatNumber(texts.maxTokens, 0)],
      ['Texts encoded in two halves too', formatNumber(texts.pairs, 0)],
      [
        'Token-level logits',
        `of ${formatNumber(tokenLogits.sampledTokens, 0)} of ${formatNumber(tokenLogits.tokens, 0)} tokens`,
      ],
      ...(texts.unknownLeftOut > 0
        ? ([['Left out as mostly unknown to the tokenizer', formatNumber(texts.unknownLeftOut, 0)]] as const)
        : []),
    ]),
    ...(texts.builtIn
      ? [paragraph('These are built-in texts; texts of your own domain (--texts FILE) say more about your model.')]
      : []),
  );
}
