/** What a diagnosis concludes, for a recipe. */
import type { Rivals } from '../checkpoint/resolve-weights.ts';
import { type CollapseRules, denseShare, foreseenCollapse } from './foreseen-collapse.ts';
import type { HeadStatistics } from './head-statistics.ts';
import type { ObservedFigures } from './observed.ts';
import type { JudgedRecipe } from './recipes.ts';
import { shortFigure } from './short-figure.ts';

/** Kinds of verdicts. */
export type VerdictKind = 'healthy' | 'overscaled' | 'dense' | 'dying' | 'untrained' | 'padded' | 'tied-trap' | 'sink';

/** One conclusion. */
export interface Verdict {
  readonly kind: VerdictKind;
  /** In a few words: "will go dense". */
  readonly title: string;
  /** Whether training from this head is likely to give vectors that are all zero, all dense, or of no use. */
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

/** Share of the score mass above which terms that are in nearly every text rule the ranking. */
const sinkMass = 0.5;

/**
 * The verdicts, collapses first; one that says healthy when there is nothing else.
 * @param rules by which a collapse is foreseen
 */
export function judge(facts: JudgedFacts, rules?: CollapseRules): readonly Verdict[] {
  const found = [untrained(facts), collapse(facts, rules), sink(facts), padded(facts), tiedTrap(facts)].filter(
    (verdict): verdict is Verdict => verdict !== undefined,
  );
  if (found.some(({ collapse: collapses }) => collapses)) return found;
  const { observed, recipe } = facts;
  const healthy: Verdict = {
    kind: 'healthy',
    title: 'healthy',
    collapse: false,
    reason: `${shortFigure(observed.activeDims.mean)} of ${facts.vocabularySize} dimensions are active in a text, scores of unrelated texts spread by ${shortFigure(observed.scores.std)} at temperature ${recipe.temperature}, and their cosine is ${observed.scores.cosine.toFixed(3)}`,
  };
  return [healthy, ...found];
}

function untrained({ head, vocabularySize }: JudgedFacts): Verdict | undefined {
  const zero = `${head.zeroRows} of ${vocabularySize} rows of the decoder are zero`;
  const reasons = [...head.untrained, ...(head.zeroRows > vocabularySize / 2 ? [zero] : [])];
  if (reasons.length === 0) return undefined;
  return {
    kind: 'untrained',
    title: 'head missing or random',
    collapse: true,
    reason: reasons.join('; '),
    advice: 'use a checkpoint whose masked-language-model head was trained, or train it on plain text first',
  };
}

function collapse(facts: JudgedFacts, rules: CollapseRules | undefined): Verdict | undefined {
  const foreseen = foreseenCollapse(facts, rules);
  return foreseen && { ...foreseen, collapse: true };
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
    ...(zeroRows > 1 && zeroRows <= vocabularySize / 2 ? [`${zeroRows} rows of the decoder are zero`] : []),
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
