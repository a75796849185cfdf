/** `lexray diagnose MODEL`: whether a masked language model's head is fit to be trained as a sparse retriever. */
import { z } from 'zod';
import type { Diagnosis } from '../../head/diagnose.ts';
import { rescaleCommand } from '../../head/rescale-command.ts';
import { recipeNames } from '../../recipes/recipe-names.ts';
import { LexrayError } from '../../util/errors.ts';
import { checkOutput } from '../check-output.ts';
import { diagnosisTexts, textsDescription } from '../diagnosis-texts.ts';
import { formatCount, formatDuration, formatFigure, formatTable } from '../format.ts';
import { figureRows, figuresJson, figuresSchema } from '../head-figures.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import { choice, flag, optionalText, text, textWithDefault } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

const spread = z.strictObject({ mean: z.number(), std: z.number(), min: z.number(), max: z.number() });
const correction = z.strictObject({ arm: z.enum(['A', 'B', 'C', 'D', 'E']), factor: z.number(), shift: z.number() });

export const diagnoseVerb: Verb = defineVerb({
  name: 'diagnose',
  group: 'Models:',
  summary: "say whether a model's head will go dense or die in training, and what would help",
  arguments: { model: text(modelDescription, { placeholder: 'MODEL' }) },
  options: {
    texts: optionalText(textsDescription, { placeholder: 'FILE' }),
    recipe: textWithDefault(`training recipe that the verdict is for: ${recipeNames.join(', ')}, or a YAML file`, {
      placeholder: 'NAME',
      default: recipeNames[0],
    }),
    failOn: choice('exit with code 5 if the head would collapse', ['never', 'collapse'], { default: 'never' }),
    report: optionalText('also write an HTML page with plots', { placeholder: 'FILE.html' }),
    force: flag('replace the page if it exists'),
  },
  examples: [
    'lexray diagnose answerdotai/ModernBERT-base',
    'lexray diagnose model --texts corpus.jsonl --recipe rescaling-2606.18811 --report head.html',
    'lexray diagnose model --fail-on collapse --json',
  ],
  result: z.strictObject({
    model: z.string(),
    modelType: z.string(),
    vocabularySize: z.int(),
    tokenizerSize: z.int(),
    head: z.strictObject({
      tied: z.boolean(),
      width: z.int(),
      /** Row norms of the decoder. */
      norm: spread,
      anisotropy: z.number(),
      bias: spread.optional(),
      gamma: spread,
      beta: spread.optional(),
      /** mean ‖w ⊙ γ‖. */
      closedFormDeviation: z.number(),
      /** mean √(wᵀΣw). */
      exactDeviation: z.number(),
      meanLogit: z.number(),
      zeroRows: z.int(),
      repeatedRows: z.int(),
    }),
    texts: z.strictObject({
      count: z.int(),
      source: z.string(),
      builtIn: z.boolean(),
      sha256: z.string(),
      maxTokens: z.int(),
      unknownLeftOut: z.int(),
      pairs: z.int(),
      sampledTokens: z.int(),
      tokens: z.int(),
    }),
    figures: figuresSchema,
    sinks: z.array(
      z.strictObject({
        term: z.int(),
        token: z.string().optional(),
        documentFrequency: z.number(),
        scoreShare: z.number(),
        meanWeight: z.number(),
      }),
    ),
    recipe: z.string(),
    verdicts: z.array(
      z.strictObject({
        kind: z.enum(['healthy', 'overscaled', 'dense', 'dying', 'untrained', 'padded', 'tied-trap', 'sink']),
        title: z.string(),
        collapse: z.boolean(),
        reason: z.string(),
        advice: z.string().optional(),
      }),
    ),
    collapse: z.boolean(),
    proposal: z
      .strictObject({
        correction,
        statistic: z.string(),
        target: z.number().optional(),
        targetOrigin: z.string(),
        command: z.string(),
        after: figuresSchema,
        /** A collapse that is foreseen all the same. */
        remaining: z
          .strictObject({ kind: z.enum(['overscaled', 'dense', 'dying']), title: z.string(), reason: z.string() })
          .optional(),
      })
      .optional(),
    noProposal: z.string().optional(),
    /** Corrections that the head already has. */
    earlier: z.array(correction),
    report: z.string().optional(),
    seconds: z.number(),
  }),
  async run(settings, context) {
    const { model, recipe, failOn, report } = settings;
    const { seed, threads, signal, onProgress, onWarning, force } = context;
    const [{ openModelFolder }, { diagnose }, texts] = await Promise.all([
      import('../../checkpoint/layouts/model-folder.ts'),
      import('../../head/diagnose.ts'),
      diagnosisTexts(settings.texts, signal),
    ]);
    if (report !== undefined) {
      if (!/\.html?$/i.test(report)) {
        throw new LexrayError('USAGE', `--report: expected a name that ends with .html, got ${report}`, {
          cure: 'the report is a page for a browser',
        });
      }
      await checkOutput(report, force);
    }
    const folder = await modelFolder(model, context);
    const start = performance.now();
    const opened = await openModelFolder(folder, { onWarning });
    let diagnosis: Diagnosis;
    try {
      diagnosis = await diagnose(opened, {
        texts,
        recipe,
        curves: report !== undefined,
        seed,
        threads,
        signal,
        onProgress,
      });
    } finally {
      await opened.close();
    }
    if (report !== undefined) await writeReport(report, model, diagnosis, force);
    const seconds = (performance.now() - start) / 1000;
    const collapse = diagnosis.verdicts.find((verdict) => verdict.collapse);
    const failure =
      failOn === 'collapse' && collapse !== undefined
        ? new LexrayError('GATE', `${model}: ${collapse.title}`, { cure: cureOf(model, diagnosis) })
        : undefined;
    const command = proposedCommand(model, diagnosis);
    const { proposal, noProposal, head, observed, tokenLogits, sinkTokens } = diagnosis;
    return {
      data: {
        model,
        modelType: diagnosis.modelType,
        vocabularySize: diagnosis.vocabularySize,
        tokenizerSize: diagnosis.tokenizerSize,
        head: {
          tied: head.location.tied,
          width: head.location.width,
          norm: head.norm,
          anisotropy: head.anisotropy,
          ...(head.bias && { bias: head.bias }),
          gamma: head.gamma,
          ...(head.beta && { beta: head.beta }),
          closedFormDeviation: head.closedFormDeviation,
          exactDeviation: diagnosis.exactDeviation,
          meanLogit: head.meanLogit,
          zeroRows: head.zeroRows,
          repeatedRows: head.repeatedRows,
        },
        texts: { ...diagnosis.texts, sampledTokens: tokenLogits.sampledTokens, tokens: tokenLogits.tokens },
        figures: figuresJson(observed),
        sinks: observed.sinks.map((sink, i) => {
          const token = sinkTokens[i];
          return { ...sink, ...(token !== undefined && { token }) };
        }),
        recipe,
        verdicts: [...diagnosis.verdicts],
        collapse: collapse !== undefined,
        ...(proposal &&
          command !== undefined && {
            proposal: {
              correction: proposal.calibration.correction,
              statistic: proposal.calibration.statistic,
              ...(proposal.calibration.target !== undefined && { target: proposal.calibration.target }),
              targetOrigin: proposal.calibration.origin,
              command,
              ...(proposal.remaining && { remaining: { ...proposal.remaining } }),
              after: figuresJson(proposal.after),
            },
          }),
        ...(noProposal !== undefined && { noProposal }),
        earlier: diagnosis.earlier.map(({ arm, factor, shift }) => ({ arm, factor, shift })),
        ...(report !== undefined && { report }),
        seconds,
      },
      text: describe(model, diagnosis, { command, report, seconds }),
      ...(failure !== undefined && { failure }),
    };
  },
});

async function writeReport(path: string, model: string, diagnosis: Diagnosis, force: boolean): Promise<void> {
  const [{ diagnosisReport }, { writeFileAtomic }, { toolName }] = await Promise.all([
    import('../../report/diagnosis-report.ts'),
    import('../../util/write-atomic.ts'),
    import('../../util/version.ts'),
  ]);
  const page = diagnosisReport({ model, diagnosis, tool: toolName, created: new Date().toISOString() });
  await writeFileAtomic(path, [Buffer.from(page)], { force });
}

/** The command that applies the proposal. */
function proposedCommand(model: string, { proposal }: Diagnosis): string | undefined {
  return proposal && rescaleCommand(model, 'OUT', proposal.calibration.correction);
}

function cureOf(model: string, diagnosis: Diagnosis): string {
  const command = proposedCommand(model, diagnosis);
  return command ?? diagnosis.noProposal ?? 'see the verdict';
}

function describe(
  model: string,
  diagnosis: Diagnosis,
  { command, report, seconds }: { command: string | undefined; report: string | undefined; seconds: number },
): string {
  const { head, texts, observed, proposal, recipe, verdicts, tokenLogits, sinkTokens, noProposal, earlier } = diagnosis;
  const facts = [
    [
      'model',
      `${model}: ${diagnosis.modelType}, ${formatCount(diagnosis.vocabularySize)} terms of ${head.location.width} weights, ${head.location.tied ? 'tied to the word embeddings' : 'not tied'}`,
    ],
    ['texts', `${formatCount(texts.count)}, ${texts.source}, at most ${texts.maxTokens} tokens`],
    [
      'row norms',
      `mean ${formatFigure(head.norm.mean)}, max ${formatFigure(head.norm.max)}, min ${formatFigure(head.norm.min)}; anisotropy ${formatFigure(head.anisotropy)}`,
    ],
    [
      'bias',
      head.bias === undefined
        ? 'none'
        : `mean ${formatFigure(head.bias.mean)}, std ${formatFigure(head.bias.std)}, ${formatFigure(head.bias.min)} to ${formatFigure(head.bias.max)}`,
    ],
    [
      'LayerNorm γ',
      `mean ${formatFigure(head.gamma.mean)}, ${formatFigure(head.gamma.min)} to ${formatFigure(head.gamma.max)}`,
    ],
    [
      'deviation of logits',
      `${formatFigure(diagnosis.exactDeviation)} (from the texts), ${formatFigure(head.closedFormDeviation)} (closed form)`,
    ],
  ];
  const states = [observed, ...(proposal ? [proposal.after] : [])];
  const header = proposal ? ['', 'now', 'corrected'] : ['', 'now'];
  const lines = [
    formatTable(facts, ['left', 'left']),
    '',
    formatTable([header, ...figureRows(states)]),
    '',
    `for the recipe ${recipe.name} (${recipe.title}: ${formatCount(recipe.steps)} steps, learning rate ${recipe.learningRate}, λ ${recipe.queryRegularizerWeight} and ${recipe.documentRegularizerWeight}):`,
    ...verdicts.flatMap(({ title, reason, advice }) => [
      `  ${title.toUpperCase()}: ${reason}`,
      ...(advice === undefined ? [] : [`    ${advice}`]),
    ]),
  ];
  if (observed.sinkCount > 0 && observed.activeShare < 0.5) {
    const shown = observed.sinks.slice(0, 8).map(({ term }, i) => sinkTokens[i] ?? `#${term}`);
    lines.push(`  in more than 90 % of the texts: ${shown.join(' ')}${observed.sinkCount > shown.length ? ' …' : ''}`);
  }
  if (proposal && command !== undefined) {
    const { statistic, target } = proposal.calibration;
    lines.push('', `proposed (${statistic} ${target ?? 'least'}):`, `  ${command}`);
    const { remaining } = proposal;
    if (!verdicts.some(({ collapse }) => collapse)) {
      lines.push(
        '  it need not be: runs of few hundred steps were better so, longer ones were not (docs/findings/calibration.md)',
      );
    }
    if (remaining) lines.push(`  even so the head ${remaining.title}: ${remaining.reason}`);
  } else if (noProposal !== undefined) {
    lines.push('', `no correction is proposed: ${noProposal}`);
  }
  const notes = [
    ...(texts.builtIn
      ? [
          `built-in texts${texts.unknownLeftOut > 0 ? ` (${texts.unknownLeftOut} left out: mostly unknown to the tokenizer)` : ''}: for your own domain give --texts FILE`,
        ]
      : []),
    ...(observed.batch < 64 ? [`scores are over ${observed.batch} texts only; give 64 or more`] : []),
    `token-level figures are from ${formatCount(tokenLogits.sampledTokens)} of ${formatCount(tokenLogits.tokens)} tokens`,
    'thresholds and targets come from models of 3 million parameters: docs/findings/calibration.md',
    ...(earlier.length > 0
      ? [`this head was corrected before${earlier.length > 1 ? ` ${earlier.length} times` : ''}`]
      : []),
    `took ${formatDuration(seconds)}`,
  ];
  lines.push('', ...notes.map((note) => `note: ${note}`));
  if (report !== undefined) lines.push(`wrote ${report}`);
  return lines.join('\n');
}
