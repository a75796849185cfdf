/**
 * Diagnoses the MLM head of a model before it is trained as a sparse retriever: what the head is, what its vectors of some
 * texts look like, what that means for a recipe, and which correction would help. Plain data; `cli/` and `report/` show it.
 */
import type { ModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { Engine } from '../compute/runtime/engine.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { throwIfAborted } from '../util/errors.ts';
import { hashTexts } from '../util/manifest.ts';
import type { ProgressListener } from '../util/progress.ts';
import { shiftFor } from './calibrate.ts';
import { type Correction, noCorrection } from './correction.ts';
import { type CorrectionRecord, earlierCorrections } from './correction-record.ts';
import type { EncodingCache } from './encoding-cache.ts';
import { runEncodingPass, textTokens, usableTexts } from './encoding-pass.ts';
import type { CollapseRules } from './foreseen-collapse.ts';
import { type HeadStatistics, headStatistics } from './head-statistics.ts';
import { checkKnown, knownTexts } from './known-texts.ts';
import type { LinearBin } from './logit-histogram.ts';
import { type ObservedFigures, observe } from './observed.ts';
import { type ProposedCorrection, proposeCorrection } from './propose-correction.ts';
import { findRecipe, type JudgedRecipe } from './recipes.ts';
import { judge, type Verdict } from './verdicts.ts';

/** Texts to diagnose with. */
export interface DiagnosisTexts {
  readonly texts: Iterable<string>;
  /** Where they came from, for people. */
  readonly source: string;
}

/** Options of {@link diagnose}. */
export interface DiagnoseOptions {
  /** @default the built-in texts in ten languages */
  readonly texts?: DiagnosisTexts | undefined;
  /** Recipe that the verdict is for, or its name. @default 'lexray' */
  readonly recipe?: string | JudgedRecipe | undefined;
  /** By which a collapse is foreseen. @default those of the calibration study */
  readonly rules?: CollapseRules | undefined;
  /** Also compute the figures at many factors, for plots. @default false */
  readonly curves?: boolean | undefined;
  /** Of the sample of tokens. @default 42 */
  readonly seed?: number | undefined;
  /** @default the number of cores */
  readonly threads?: number | undefined;
  /** An engine without variables, disposed of at the end. @default onnxruntime */
  readonly engine?: Engine | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** The texts that were used. */
export interface TextFacts {
  readonly count: number;
  readonly source: string;
  /** Whether they are the built-in ones. */
  readonly builtIn: boolean;
  readonly sha256: string;
  /** Tokens of a text at most. */
  readonly maxTokens: number;
  /** Texts left out because the tokenizer knows too little of them; built-in texts only. */
  readonly unknownLeftOut: number;
  /** Texts that were encoded in two halves too. */
  readonly pairs: number;
}

/** Figures at one factor. */
export interface CurvePoint {
  readonly factor: number;
  readonly observed: ObservedFigures;
}

/** Figures of an arm at many factors, from the first 128 texts. */
export interface Curve {
  readonly arm: 'B' | 'C' | 'D';
  readonly shift: number;
  /** P(z > 0) of a token and a term after the shift that arm D takes. */
  readonly activationRate?: number | undefined;
  readonly points: readonly CurvePoint[];
}

/** A diagnosis. */
export interface Diagnosis {
  readonly modelType: string;
  readonly vocabularySize: number;
  readonly tokenizerSize: number;
  readonly head: HeadStatistics;
  readonly texts: TextFacts;
  /** Figures of the head as it is. */
  readonly observed: ObservedFigures;
  /** What the pass left, for figures after other corrections. */
  readonly cache: EncodingCache;
  /** Token of each sink term, in the order of `observed.sinks`; undefined where the tokenizer has none. */
  readonly sinkTokens: readonly (string | undefined)[];
  /** mean_v √(w_vᵀΣw_v). */
  readonly exactDeviation: number;
  /** Histogram of token-level logits. */
  readonly tokenLogits: {
    readonly bins: readonly LinearBin[];
    readonly sampledTokens: number;
    readonly tokens: number;
  };
  readonly recipe: JudgedRecipe;
  readonly verdicts: readonly Verdict[];
  /** For a head that would collapse, and for that of a masked language model whose scale is far from the target; undefined where no factor can help. */
  readonly proposal: ProposedCorrection | undefined;
  /** Why there is no proposal although the head would collapse, or is far from the target. */
  readonly noProposal: string | undefined;
  /** The curves, when asked for. */
  readonly curves: readonly Curve[];
  /** Corrections that the head already has. */
  readonly earlier: readonly CorrectionRecord[];
}

/** A diagnosis in the making: the pass and what it was made from. */
export interface EncodedModel {
  readonly tokenizer: Tokenizer;
  readonly head: HeadStatistics;
  readonly texts: TextFacts;
  readonly cache: EncodingCache;
}

/** Factors of the curves: half octaves from 1/4 to 128. */
const curveFactors: readonly number[] = Array.from({ length: 19 }, (_, i) => 2 ** (i / 2 - 2));
const curveBatches = 2;

/**
 * Diagnoses a model.
 * @throws LexrayError BAD_INPUT when the texts are too few or the model does not fit; ENGINE_MISSING without onnxruntime;
 * USAGE for an unknown recipe
 */
export async function diagnose(model: ModelFolder, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const recipe = typeof options.recipe === 'object' ? options.recipe : findRecipe(options.recipe ?? 'lexray');
  const { tokenizer, head, texts, cache } = await encodeForDiagnosis(model, options);
  const observed = observe(cache, noCorrection);
  const { vocabularySize } = head.location;
  const termCount = model.outputVocabulary?.terms.length ?? tokenizer.size;
  const { rivals } = model.checkpoint;
  const verdicts = judge({ head, observed, vocabularySize, tokenizerSize: termCount, rivals, recipe }, options.rules);
  const proposal = proposeCorrection({ head, cache, observed, recipe }, verdicts);
  const { tokenLogits } = cache;
  return {
    modelType: model.checkpoint.config.model_type,
    vocabularySize,
    tokenizerSize: termCount,
    head,
    texts,
    observed,
    cache,
    sinkTokens: observed.sinks.map(({ term }) => model.outputVocabulary?.terms[term] ?? tokenizer.token(term)),
    exactDeviation: cache.exactDeviation,
    tokenLogits: {
      bins: tokenLogits.logits.linearBins(60),
      sampledTokens: tokenLogits.sampledTokens,
      tokens: tokenLogits.tokens,
    },
    recipe,
    verdicts,
    proposal: typeof proposal === 'string' ? undefined : proposal,
    noProposal: typeof proposal === 'string' ? proposal : undefined,
    curves: options.curves === true ? curvesOf(cache, options) : [],
    earlier: earlierCorrections(model.manifest),
  };
}

/**
 * Encodes the texts of a diagnosis, or of a calibration.
 * @throws as {@link diagnose}
 */
export async function encodeForDiagnosis(
  model: ModelFolder,
  options: Omit<DiagnoseOptions, 'recipe' | 'rules' | 'curves'> = {},
): Promise<EncodedModel> {
  const head = await headStatistics(model.checkpoint);
  const { vocabularySize } = head.location;
  const tokenizer = await loadTokenizer(model.tokenizerFolder);
  const builtIn = options.texts === undefined;
  const known = builtIn ? knownTexts(tokenizer) : undefined;
  // The two halves of joined sentences have nothing in common.
  const halved = known?.sentences;
  const texts = usableTexts(options.texts?.texts ?? known!.texts, vocabularySize, options.texts?.source);
  if (!builtIn) checkKnown(tokenizer, texts, options.texts?.source);
  const cache = await runEncodingPass(model, tokenizer, head, texts, { ...options, halved });
  return {
    tokenizer,
    head,
    cache,
    texts: {
      count: texts.length,
      source: options.texts?.source ?? 'built-in sentences in ten languages',
      builtIn,
      sha256: hashTexts(texts),
      maxTokens: Math.min(textTokens, model.policy.maxLength.document),
      unknownLeftOut: known?.leftOut ?? 0,
      pairs: cache.pairs.length,
    },
  };
}

function curvesOf(cache: EncodingCache, { onProgress, signal }: DiagnoseOptions): Curve[] {
  const shift = shiftFor(cache);
  const total = 3 * curveFactors.length;
  let done = 0;
  const shifted = { shift, activationRate: cache.tokenLogits.logits.shareAbove(shift) };
  const arms = [
    { arm: 'B', shift: 0 },
    { arm: 'C', shift: 0 },
    { arm: 'D', ...shifted },
  ] as const;
  return arms.map((curve) => ({
    ...curve,
    points: curveFactors.map((factor) => {
      throwIfAborted(signal);
      const correction: Correction = { arm: curve.arm, factor, shift: curve.shift };
      const observed = observe(cache, correction, { batches: curveBatches, pairs: false });
      onProgress?.({ phase: 'curves', done: ++done, total, unit: 'factors' });
      return { factor, observed };
    }),
  }));
}
