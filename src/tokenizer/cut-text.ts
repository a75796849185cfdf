/**
 * Where a long text may be cut before it is tokenized, such that the ids of the start are the first ids of the whole.
 *
 * The pipelines named here split words at white space and nowhere look across it: their normalizers work within a run
 * of characters that ends at a space (a space is a starter, so that neither canonical ordering nor composition crosses
 * it, and lower case looks at neighbouring letters only), and their pre-tokenizers never put a non-space character and a
 * space after it into one word. So the words of `text.slice(0, p)`, with a space at `p` and none before it, are a prefix
 * of the words of `text`. Added tokens are matched across words: with a space in one of them, nothing is cut.
 * BERT's normalizer also puts spaces around CJK ideographs, which makes each of them such a place.
 */
import { bertNormalize, ideographClass } from './bert-text.ts';
import type { TokenizerJson, TokenizerStage } from './tokenizer-json.ts';

const localNormalizers: readonly string[] = [
  'BertNormalizer',
  'NFC',
  'NFD',
  'NFKC',
  'NFKD',
  'Lowercase',
  'StripAccents',
];
const splittingPreTokenizers: readonly string[] = ['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit'];

/** The first cutting place from an index on; undefined when there is none before the end. */
export type CutFinder = (text: string, from: number) => number | undefined;

/** A {@link CutFinder} for a tokenizer; undefined when its pipeline is not known to split at white space. */
export function cutFinder(json: TokenizerJson): CutFinder | undefined {
  if (!isLocal(json.normalizer) || !splitsAtSpace(json.pre_tokenizer)) return undefined;
  const contents = json.added_tokens.map((token) => token.content);
  if (contents.some((content) => /\s/u.test(bertNormalize(content)))) return undefined;
  const splitsIdeographs =
    json.normalizer?.type === 'BertNormalizer' &&
    json.normalizer.handle_chinese_chars !== false &&
    contents.every((content) => /^[!-~]+$/.test(content));
  const pattern = new RegExp(
    `(?<![\\s\\uFEFF\\u0085])[ \\t\\n\\r]${splitsIdeographs ? `|[${ideographClass}]` : ''}`,
    'gu',
  );
  return (text, from) => {
    pattern.lastIndex = /[\uDC00-\uDFFF]/.test(text[from] ?? '') ? from + 1 : from;
    const match = pattern.exec(text);
    return match?.index;
  };
}

function isLocal(normalizer: TokenizerStage | null): boolean {
  if (normalizer === null || localNormalizers.includes(normalizer.type)) return true;
  if (normalizer.type !== 'Sequence') return false;
  return stages(normalizer.normalizers)?.every(isLocal) ?? false;
}

function splitsAtSpace(preTokenizer: TokenizerStage | null): boolean {
  if (preTokenizer === null) return false;
  if (splittingPreTokenizers.includes(preTokenizer.type)) return true;
  if (preTokenizer.type === 'ByteLevel') return preTokenizer.use_regex !== false;
  if (preTokenizer.type !== 'Sequence') return false;
  const first = stages(preTokenizer.pretokenizers)?.[0];
  return first !== undefined && splitsAtSpace(first);
}

function stages(value: unknown): readonly TokenizerStage[] | undefined {
  return Array.isArray(value) ? (value as readonly TokenizerStage[]) : undefined;
}
