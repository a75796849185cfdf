/** `lexray rescale MODEL -o OUT`: writes a model with a corrected MLM head. */
import { z } from 'zod';
import type { ModelFolder } from '../../checkpoint/layouts/model-folder.ts';
import type { Correction } from '../../head/correction.ts';
import type { CorrectionRecord } from '../../head/correction-record.ts';
import type { EncodedModel } from '../../head/diagnose.ts';
import type { ObservedFigures } from '../../head/observed.ts';
import type { Sweep } from '../../head/sweep.ts';
import { statisticNames } from '../../head/targets/statistic-names.ts';
import { LexrayError } from '../../util/errors.ts';
import { checkOutput } from '../check-output.ts';
import { diagnosisTexts, textsDescription } from '../diagnosis-texts.ts';
import { formatFigure, formatTable } from '../format.ts';
import { figureRows, figuresJson, figuresSchema } from '../head-figures.ts';
import { modelDescription, modelFolder } from '../model-folder.ts';
import { flag, optionalChoice, optionalDecimal, optionalText, text } from '../option.ts';
import { defineVerb, type Verb, type VerbContext } from '../verb.ts';

const correction = z.strictObject({ arm: z.enum(['A', 'B', 'C', 'D', 'E']), factor: z.number(), shift: z.number() });

export const rescaleVerb: Verb = defineVerb({
  name: 'rescale',
  group: 'Models:',
  summary: "correct the scale and shift of a model's head",
  arguments: { model: text(modelDescription, { placeholder: 'MODEL' }) },
  options: {
    factor: optionalDecimal('k: logits or weights are divided by it'),
    shift: optionalDecimal('c of arm D: taken from the logits before they are divided'),
    arm: optionalChoice(
      'A: (W/k)h + b with the word embeddings divided too, B: (W/k)h + b, C: (Wh + b)/k, D: (Wh + b − c)/k, E: each row to one norm, then /k',
      ['A', 'B', 'C', 'D', 'E'],
      { shownDefault: 'C, or D with --shift' },
    ),
    auto: flag('find k (and c of arm D) from texts'),
    statistic: optionalChoice('what --auto goes by', statisticNames, {
      shownDefault: `${statisticNames[0]}; score-spread for arm E`,
    }),
    target: optionalDecimal("value that the statistic is to have (default: the statistic's own)"),
    activationRate: optionalDecimal('P(z > 0) that the c of arm D aims at', { shownDefault: '0.1' }),
    texts: optionalText(textsDescription, { placeholder: 'FILE' }),
    sweep: flag('with --auto --arm A: encode the texts at k = 1, 2, 4, 8, 16 and take the best'),
    route: optionalChoice(
      'where it is stored: norm keeps a tied decoder tied, untied stores a decoder of its own',
      ['norm', 'untied'],
      { shownDefault: 'norm; untied for arm E' },
    ),
  },
  output: { placeholder: 'OUT', description: 'model folder to write', required: true },
  examples: [
    'lexray rescale model -o calibrated --auto',
    'lexray rescale model -o calibrated --auto --arm D --texts corpus.jsonl',
    'lexray rescale answerdotai/ModernBERT-base -o modernbert-k8 --arm B --factor 8',
  ],
  result: z.strictObject({
    model: z.string(),
    output: z.string(),
    correction,
    route: z.enum(['norm', 'untied', 'shared']),
    dtype: z.string(),
    /** Weights that differ from the model's. */
    changed: z.array(z.string()),
    found: z.strictObject({ by: z.string(), target: z.number().optional(), targetOrigin: z.string().optional() }),
    texts: z.strictObject({ count: z.int(), sha256: z.string(), source: z.string() }).optional(),
    before: figuresSchema.optional(),
    /** Predicted from the pass that gave `before`. */
    after: figuresSchema.optional(),
    sweep: z.array(z.strictObject({ factor: z.number(), value: z.number(), figures: figuresSchema })).optional(),
    /** All corrections that the head has had, as one; absent where no arm can say it. */
    together: correction.optional(),
    corrections: z.int(),
  }),
  async run(settings, context) {
    const { model, route } = settings;
    const { output, force, signal, onProgress, onWarning } = context;
    checkSettings(settings);
    await checkOutput(output, force);
    const [{ openModelFolder }, { rescale, describeCorrection }, { modelParents }] = await Promise.all([
      import('../../checkpoint/layouts/model-folder.ts'),
      import('../../head/rescale.ts'),
      import('../model-parents.ts'),
    ]);
    const folder = await modelFolder(model, context);
    const opened = await openModelFolder(folder, { onWarning });
    try {
      const plan = await planCorrection(opened, settings, context);
      const { chosen, provenance, before, after } = plan;
      const { config } = context;
      const written = await rescale(opened, output, chosen, {
        route,
        provenance,
        ...(model === folder ? {} : { baseModel: hubName(model) }),
        parents: await modelParents(folder),
        config,
        force,
        signal,
        onProgress,
        onWarning,
      });
      const { found, texts } = provenance;
      const { corrections, together } = written.history;
      const origin = 'targetOrigin' in found ? found : undefined;
      return {
        data: {
          model,
          output,
          correction: chosen,
          route: written.route,
          dtype: written.dtype,
          changed: [...written.changed],
          found: {
            by: found.by,
            ...(origin?.target !== undefined && { target: origin.target }),
            ...(origin !== undefined && { targetOrigin: origin.targetOrigin }),
          },
          ...(texts !== undefined && { texts: { ...texts } }),
          ...(before && { before: figuresJson(before) }),
          ...(after && { after: figuresJson(after) }),
          ...(plan.swept && {
            sweep: plan.swept.rows.map(({ factor, value, observed }) => ({
              factor,
              value,
              figures: figuresJson(observed),
            })),
          }),
          ...(together !== undefined && { together }),
          corrections: corrections.length,
        },
        text: [
          `${describeCorrection(chosen)}${origin === undefined ? '' : ` (${origin.by}${origin.target === undefined ? '' : ` ${formatFigure(origin.target)}`})`}, stored by ${storage[written.route]} as ${written.dtype}`,
          ...(before && after ? ['', formatTable([['', 'before', 'after'], ...figureRows([before, after])]), ''] : []),
          ...(plan.swept ? ['', describeSweep(plan.swept), ''] : []),
          ...(texts?.source.startsWith('built-in')
            ? ['note: built-in texts: for your own domain give --texts FILE']
            : []),
          `wrote ${output}`,
        ].join('\n'),
      };
    } finally {
      await opened.close();
    }
  },
});

const storage = {
  norm: 'the LayerNorm before the decoder',
  untied: 'a decoder of its own',
  shared: 'the word embeddings themselves',
} as const;

interface Settings {
  readonly factor: number | undefined;
  readonly shift: number | undefined;
  readonly arm: Correction['arm'] | undefined;
  readonly auto: boolean;
  readonly statistic: (typeof statisticNames)[number] | undefined;
  readonly target: number | undefined;
  readonly activationRate: number | undefined;
  readonly texts: string | undefined;
  readonly sweep: boolean;
}

interface Plan {
  readonly chosen: Correction;
  readonly provenance: Pick<CorrectionRecord, 'found' | 'texts' | 'before' | 'after'>;
  readonly before: ObservedFigures | undefined;
  readonly after: ObservedFigures | undefined;
  readonly swept?: Sweep;
}

function checkSettings({ factor, shift, arm, auto, sweep, statistic, target, activationRate }: Settings): void {
  const usage = (message: string, cure: string): LexrayError => new LexrayError('USAGE', message, { cure });
  if (auto === (factor !== undefined)) {
    throw usage(
      auto ? '--auto finds the factor itself' : 'expected --factor or --auto',
      'give one of --factor NUMBER and --auto',
    );
  }
  if (factor !== undefined && !(factor > 0)) {
    throw usage(
      `--factor: expected a number above 0, got ${factor}`,
      '8 makes logits 8 times smaller, 0.5 twice as large',
    );
  }
  if (auto && shift !== undefined) {
    throw usage('--auto finds the shift of arm D itself', 'leave out --shift, or give --factor too instead of --auto');
  }
  const unused = [
    ...(!auto && statistic !== undefined ? ['--statistic'] : []),
    ...(!auto && target !== undefined ? ['--target'] : []),
    ...(activationRate !== undefined && (!auto || arm !== 'D') ? ['--activation-rate'] : []),
  ];
  if (unused.length > 0) {
    const wanted = unused[0] === '--activation-rate' ? '--auto --arm D' : '--auto';
    throw usage(`${unused.join(', ')} would do nothing: expected beside ${wanted}`, 'leave it out');
  }
  if (target !== undefined && !(target > 0)) {
    throw usage(
      `--target: expected a number above 0, got ${target}`,
      'see docs/concepts/head.md for those of the statistics',
    );
  }
  if (statistic === 'activation-rate' && target !== undefined && activationRate !== undefined) {
    throw usage('--target and --activation-rate are the same for activation-rate', 'give one of them');
  }
  if (sweep && (!auto || arm !== 'A')) {
    throw usage('--sweep is for --auto --arm A: the other arms need one pass only', 'leave it out');
  }
}

/** The correction that the settings ask for, with what is to be recorded of it. */
async function planCorrection(model: ModelFolder, settings: Settings, context: VerbContext): Promise<Plan> {
  const { auto, shift } = settings;
  const arm = settings.arm ?? (shift === undefined ? 'C' : 'D');
  const texts = await diagnosisTexts(settings.texts, context.signal);
  const { seed, threads, signal, onProgress } = context;
  const encoding = { texts, seed, threads, signal, onProgress };
  const [
    { calibrate },
    { encodeForDiagnosis },
    records,
    { observe },
    { noCorrection, checkCorrection },
    { defaultStatistic, findStatistic },
  ] = await Promise.all([
    import('../../head/calibrate.ts'),
    import('../../head/diagnose.ts'),
    import('../../head/correction-record.ts'),
    import('../../head/observed.ts'),
    import('../../head/correction.ts'),
    import('../../head/targets/registry.ts'),
  ]);
  const planned = (chosen: Correction, found: CorrectionRecord['found'], encoded: EncodedModel | undefined): Plan => {
    if (encoded === undefined) {
      return {
        chosen,
        provenance: { found, texts: undefined, before: undefined, after: undefined },
        before: undefined,
        after: undefined,
      };
    }
    const before = observe(encoded.cache, noCorrection);
    const after = chosen.arm === 'A' ? undefined : observe(encoded.cache, chosen);
    const { count, sha256, source } = encoded.texts;
    return {
      chosen,
      provenance: {
        found,
        texts: { count, sha256, source },
        before: records.recordedFigures(before),
        after: after && records.recordedFigures(after),
      },
      before,
      after,
    };
  };

  if (!auto) {
    const chosen: Correction = { arm, factor: settings.factor!, shift: shift ?? 0 };
    checkCorrection(chosen);
    return planned(chosen, { by: 'user' }, texts && (await encodeForDiagnosis(model, encoding)));
  }
  const { statistic, target, activationRate } = settings;
  if (arm === 'A' && settings.sweep) {
    const { sweep } = await import('../../head/sweep.ts');
    const swept = await sweep(model, { ...encoding, statistic, target });
    const { count, sha256, source } = swept.texts;
    const [before, after] = [1, swept.chosen.factor].map(
      (factor) => swept.rows.find((row) => row.factor === factor)!.observed,
    ) as [ObservedFigures, ObservedFigures];
    return {
      chosen: swept.chosen,
      provenance: {
        found: { by: `${swept.statistic}, best of a sweep`, target: swept.target, targetOrigin: swept.origin },
        texts: { count, sha256, source },
        before: records.recordedFigures(before),
        after: records.recordedFigures(after),
      },
      before,
      after,
      swept,
    };
  }
  const options = { arm, statistic, target, activationRate };
  const wanted = statistic === undefined ? defaultStatistic(arm) : findStatistic(statistic);
  // Arm A is refused by `calibrate`, before anything is encoded.
  const withoutTexts = arm === 'A' || (wanted.needs === 'checkpoint' && arm !== 'D' && texts === undefined);
  const encoded = withoutTexts ? undefined : await encodeForDiagnosis(model, encoding);
  const { headStatistics } = await import('../../head/head-statistics.ts');
  const head = encoded?.head ?? (await headStatistics(model.checkpoint));
  const calibration = calibrate({ head, cache: encoded?.cache }, options);
  return planned(calibration.correction, records.calibrationOrigin(calibration), encoded);
}

function describeSweep({ rows, statistic }: Sweep): string {
  const header = ['k', statistic, 'active dimensions', 'cosine'];
  return formatTable(
    [
      header,
      ...rows.map(({ factor, value, observed }) => [
        String(factor),
        formatFigure(value),
        formatFigure(observed.activeDims.mean),
        observed.scores.cosine.toFixed(4),
      ]),
    ],
    ['right'],
  );
}

/** `org/name` of a reference to a hub. */
function hubName(reference: string): string {
  return reference.replace(/^hf:\/\//, '').replace(/@.*$/, '');
}
