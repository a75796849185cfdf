/**
 * What a diagnosis concludes, for a recipe. The thresholds are provisional, from what was seen and read so far (papers and
 * threads are named beside each); the calibration study is to replace them.
 */
import type { Rivals } from '../checkpoint/resolve-weights.ts';
import type { HeadStatistics } from './head-statistics.ts';
import type { ObservedFigures } from './observed.ts';
import type { JudgedRecipe } from './recipes.ts';

/** Kinds of verdicts. */
export type VerdictKind = 'healthy' | 'dense' | 'dying' | 'untrained' | 'padded' | 'tied-trap' | 'sink';

/** One conclusion. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** In a few words: "will go dense". */
  readonly title: string;
  /** Whether training from this head is likely to give vectors that are all zero or all dense. */
  readonly collapse: boolean;
  /** Why, with the figures. */
  readonly reason: string;
  /** What to do about it, where the correction of the head is not the answer. */
  readonly advice?: string;
}

/** What verdicts are made from. */
export interface JudgedFacts {
  readonly head: HeadStatistics;
  /** Figures of the head as it is. */
  readonly observed: ObservedFigures;
  readonly vocabularySize: number;
  /** Ids that the tokenizer has. */
  readonly tokenizerSize: number;
  /** Pairs of stored tensors that ought to be equal and are not. */
  readonly rivals: readonly Rivals[];
  readonly recipe: JudgedRecipe;
}

/** Share of texts without an active dimension from which on a head counts as dying. */
const deadShare = 0.05;
/**
 * Share of the vocabulary that is active, and cosine of unrelated texts, above which all vectors are alike. The threads that
 * report it: all 31,999 dimensions active; a cosine of 1.0000 between unrelated sentences (sentence-transformers#3431).
 */
const denseShare = 0.5;
const denseCosine = 0.9;
/**
 * Score spread, in units of the temperature, outside of which runs of a first look collapsed (InfoNCE; one model, one seed):
 * from 13 on they died, at .03 active dimensions rose from 18 to 506. A MarginMSE loss takes its scale from the teacher, whose
 * margins are several units wide: the upper bound is a guess there.
 */
const steepSpread = { 'info-nce': 10, 'margin-mse': 30 } as const;
const flatSpread = 0.1;
/** FLOPS penalty at full weight, in units of the ranking loss, above which zero vectors are the cheapest way down; a guess. */
const heavyPenalty = 10;
/** Share of the score mass above which terms that are in nearly every text rule the ranking. */
const sinkMass = 0.5;

/** The verdicts, collapses first; one that says healthy when there is nothing else. */
export function judge(facts: JudgedFacts): readonly Verdict[] {
  const found = [untrained(facts), collapse(facts), sink(facts), padded(facts), tiedTrap(facts)].filter(
    (verdict): verdict is Verdict => verdict !== undefined,
  );
  if (found.some(({ collapse: collapses }) => collapses)) return found;
  const { observed, recipe } = facts;
  const healthy: Verdict = {
    kind: 'healthy',
    title: 'healthy',
    collapse: false,
    reason: `${figure(observed.activeDims.mean)} of ${facts.vocabularySize} dimensions are active in a text, scores of unrelated texts spread by ${figure(observed.scores.std)} at temperature ${recipe.temperature}, and their cosine is ${observed.scores.cosine.toFixed(3)}`,
  };
  return [healthy, ...found];
}

/** Penalty of the regularizers at full weight, and the ranking loss it stands beside. */
export function initialLoss(
  { pairs, flops, activeDims, meanWeight }: Pick<ObservedFigures, 'pairs' | 'flops' | 'activeDims' | 'meanWeight'>,
  recipe: JudgedRecipe,
): { readonly ranking: number | undefined; readonly penalty: number } {
  const ranking = recipe.loss === 'info-nce' && recipe.temperature === 1 ? pairs?.infoNce : undefined;
  const l1 = activeDims.mean * meanWeight;
  const queries = recipe.l1?.includes('queries') ? l1 : flops;
  const documents = recipe.l1?.includes('documents') ? l1 : flops;
  const { queryRegularizerWeight, documentRegularizerWeight } = recipe;
  return { ranking, penalty: queryRegularizerWeight * queries + documentRegularizerWeight * documents };
}

function untrained({ head }: JudgedFacts): Verdict | undefined {
  if (head.untrained.length === 0) return undefined;
  return {
    kind: 'untrained',
    title: 'head missing or random',
    collapse: true,
    reason: head.untrained.join('; '),
    advice: 'use a checkpoint whose masked-language-model head was trained, or train it on plain text first',
  };
}

function collapse({ observed, vocabularySize, recipe }: JudgedFacts): Verdict | undefined {
  const { texts, zeroTexts, activeDims, activeShare, scores } = observed;
  const spread = scores.std / recipe.temperature;
  const { ranking, penalty } = initialLoss(observed, recipe);
  const chance = Math.log(observed.batch);
  const pressure = penalty / Math.max(ranking ?? chance, chance);
  const loss =
    ranking === undefined
      ? ''
      : ` The first loss is ${figure(ranking)} (a model without preference has ${figure(chance)}).`;
  const regularizers = recipe.l1?.length ? 'the weighted regularizers are' : 'λ·FLOPS is';
  const weight = ` At full weight ${regularizers} ${figure(penalty)}.`;
  const dying = (reason: string): Verdict => ({ kind: 'dying', title: 'will die', collapse: true, reason });
  const dense = (reason: string): Verdict => ({ kind: 'dense', title: 'will go dense', collapse: true, reason });
  if (zeroTexts > deadShare * texts) {
    return dying(`${zeroTexts} of ${texts} texts have no active dimension: no gradient comes back through ReLU.`);
  }
  if (activeShare > denseShare && scores.cosine > denseCosine) {
    return dense(
      `${figure(activeDims.mean)} of ${vocabularySize} dimensions are active in a text and unrelated texts have a cosine of ${scores.cosine.toFixed(4)}: the vectors say nothing about the texts.${loss}${weight}`,
    );
  }
  if (spread > steepSpread[recipe.loss]) {
    return dying(
      `scores of unrelated texts spread by ${figure(scores.std)}, ${figure(spread)} times the temperature: the softmax is decided before training, and large gradients push everything down.${loss}${weight}`,
    );
  }
  if (pressure > heavyPenalty) {
    return dying(
      `at full weight ${regularizers} ${figure(penalty)}, ${figure(pressure)} times the ranking loss: zero vectors are the cheapest way down.`,
    );
  }
  if (recipe.loss === 'info-nce' && spread < flatSpread) {
    return dense(
      `scores of unrelated texts spread by ${figure(scores.std)} only: to tell texts apart, training makes more and more dimensions active, and ${regularizers} too small (${figure(penalty)}) to stop it.`,
    );
  }
  return undefined;
}

function sink({ observed }: JudgedFacts): Verdict | undefined {
  const { sinkCount, sinkScoreShare, activeShare } = observed;
  if (sinkCount === 0 || activeShare > denseShare || sinkScoreShare < sinkMass) return undefined;
  return {
    kind: 'sink',
    title: 'sink',
    collapse: false,
    reason: `${sinkCount} terms are active in more than 90 % of the texts and have ${(100 * sinkScoreShare).toFixed(0)} % of the score mass`,
    advice:
      'if they are special tokens, have the model drop them (specialTokens: "drop" in lexray.json); else train with DF-weighted regularization, or prune them',
  };
}

function padded({ head, vocabularySize, tokenizerSize }: JudgedFacts): Verdict | undefined {
  const { zeroRows, repeatedRows } = head;
  const extra = vocabularySize - tokenizerSize;
  const parts = [
    // One row of zeros is the padding token's, as PyTorch initialises it.
    ...(zeroRows > 1 ? [`${zeroRows} rows of the decoder are zero`] : []),
    ...(repeatedRows > 0 ? [`${repeatedRows} repeat another row`] : []),
    ...(extra > 0 ? [`the last ${extra} of ${vocabularySize} have no token`] : []),
  ];
  if (parts.length === 0) return undefined;
  return {
    kind: 'padded',
    title: 'vocabulary padded',
    collapse: false,
    reason: parts.join('; '),
    advice:
      'harmless for training; size vectors by the head, not by the tokenizer, and keep dimensions without a token out of an index',
  };
}

function tiedTrap({ rivals }: JudgedFacts): Verdict | undefined {
  const [first] = rivals;
  if (first === undefined) return undefined;
  return {
    kind: 'tied-trap',
    title: 'tied trap',
    collapse: false,
    reason: `${first.ignored} differs from ${first.used}: ${first.readings}`,
    advice: 'what you see here is what Lexray reads; other libraries may read the other tensor',
  };
}

function figure(x: number): string {
  if (x !== 0 && (Math.abs(x) >= 1e6 || Math.abs(x) < 1e-3)) return x.toExponential(2);
  return String(Number(x.toPrecision(4)));
}
