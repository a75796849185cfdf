/** Texts whose words a tokenizer knows: of the others every head would look ill. */
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { badInput } from '../util/errors.ts';
import { sampleSentences, sampleTexts } from './sample-texts.ts';

/** Built-in texts with a larger share of unknown tokens are left out; a user's are refused from twice that on. */
const mostUnknown = 0.25;
/**
 * Tokens of a character above which built-in texts are left out too, of letters and of the scripts of East Asia. Vocabularies that know
 * a language have .2 tokens a letter, and at most one a Chinese character.
 */
const mostTokensPerCharacter = 0.6;
const mostTokensPerWide = 1.1;
/** Built-in texts that a vocabulary must know by this, or the rule is not for it. */
const leastKnown = 32;
/** The first code point of those scripts. */
const firstWide = '\u2e80';

/** The built-in texts that a tokenizer knows. */
export interface KnownTexts {
  readonly texts: readonly string[];
  /** The sentences that texts are joined from. */
  readonly sentences: readonly string[];
  readonly leftOut: number;
}

/**
 * The built-in texts that a tokenizer knows: words that it has never seen are unknown tokens, or spelled out letter by letter or byte
 * by byte. A vocabulary so small that it spells out nearly all of them knows those without unknown tokens.
 */
export function knownTexts(tokenizer: Tokenizer): KnownTexts {
  const [texts, sentences] = [sampleTexts(), Object.values(sampleSentences).flat()].map((some) =>
    some.map((text) => ({ text, ...knowledgeOf(tokenizer, text) })),
  ) as [Judged[], Judged[]];
  const spelling = texts.filter(({ read, spelled }) => read && !spelled).length < leastKnown;
  const isKnown = ({ read, spelled }: Judged): boolean => read && (spelling || !spelled);
  const known = texts.filter(isKnown).map(({ text }) => text);
  return {
    texts: known,
    sentences: sentences.filter(isKnown).map(({ text }) => text),
    leftOut: texts.length - known.length,
  };
}

interface Judged {
  readonly text: string;
  /** Whether few of the tokens are unknown. */
  readonly read: boolean;
  /** Whether words are spelled out. */
  readonly spelled: boolean;
}

function knowledgeOf(tokenizer: Tokenizer, text: string): Omit<Judged, 'text'> {
  const { tokens, unknown } = countTokens(tokenizer, text);
  const characters = Array.from(text);
  const wide = characters.filter((character) => character >= firstWide).length;
  const most = mostTokensPerCharacter * (characters.length - wide) + mostTokensPerWide * wide;
  return { read: unknown <= mostUnknown * tokens, spelled: tokens > most };
}

/**
 * Checks that a tokenizer knows half of the tokens of texts: those of which nothing is known are all alike, whatever the head.
 * @throws LexrayError BAD_INPUT naming their source
 */
export function checkKnown(tokenizer: Tokenizer, texts: readonly string[], source: string | undefined): void {
  let [tokens, unknown] = [0, 0];
  for (const text of texts) {
    const counts = countTokens(tokenizer, text);
    tokens += counts.tokens;
    unknown += counts.unknown;
  }
  if (unknown <= 2 * mostUnknown * tokens) return;
  throw badInput(`the tokenizer of this model knows ${tokens - unknown} of the ${tokens} tokens of these texts`, {
    ...(source !== undefined && { where: source }),
    cure: 'give texts in the language that the model was trained on',
  });
}

function countTokens(tokenizer: Tokenizer, text: string): { readonly tokens: number; readonly unknown: number } {
  const { unk } = tokenizer.specialTokens;
  const ids = tokenizer.encode(text, { addSpecialTokens: false });
  let unknown = ids.length === 0 ? 1 : 0;
  for (const id of ids) if (id === unk) unknown++;
  return { tokens: Math.max(1, ids.length), unknown };
}
