/**
 * What the rest of Lexray needs of a tokenizer: text to token ids and back, the special tokens by role, the length limit.
 * {@link loadTokenizer} makes one from a Hugging Face folder.
 */

/** Ids of the special tokens by role; a role that the tokenizer does not have is absent. */
export interface SpecialTokens {
  readonly pad?: number;
  readonly unk?: number;
  readonly cls?: number;
  readonly sep?: number;
  readonly mask?: number;
}

/** Options of {@link Tokenizer.encode}. */
export interface TokenizeOptions {
  /**
   * The most ids to return, special tokens included. The closing special tokens are kept, the text gives way.
   * @default undefined: the whole text
   */
  readonly maxLength?: number | undefined;
  /** Put the special tokens of the post-processor around the text. @default true */
  readonly addSpecialTokens?: boolean | undefined;
}

/** Token ids with the part of the text that each stands for. */
export interface PlacedTokens {
  readonly ids: Int32Array;
  /** First UTF-16 unit of each token in the text; -1 for special tokens around it. */
  readonly starts: Int32Array;
  /** After its last unit; -1 for special tokens around the text. Tokens of white space alone have an empty part. */
  readonly ends: Int32Array;
}

/** Text to token ids, as Hugging Face's tokenizers do it. */
export interface Tokenizer {
  /** Highest token id + 1: the least width that an embedding or a head must have. */
  readonly size: number;
  readonly specialTokens: SpecialTokens;
  /** Ids of every token marked special, those by role included. */
  readonly specialIds: ReadonlySet<number>;
  /** `model_max_length`, the special tokens included; undefined when the folder sets none. */
  readonly modelMaxLength: number | undefined;
  /**
   * The token ids of a text.
   * @throws LexrayError USAGE when `maxLength` has no room for the special tokens
   */
  encode(text: string, options?: TokenizeOptions): Int32Array;
  /**
   * The same ids as {@link encode}, with their places in the text.
   * @throws LexrayError BAD_INPUT where places are not known: for tokenizers other than WordPiece with BERT's words and
   * byte-level BPE
   */
  encodePlaced(text: string, options?: TokenizeOptions): PlacedTokens;
  /** The token ids of each text. */
  encodeBatch(texts: Iterable<string>, options?: TokenizeOptions): Int32Array[];
  /** The token of an id; undefined when no token has that id. */
  token(id: number): string | undefined;
  /** The id of a token, undefined when the vocabulary does not have it. */
  id(token: string): number | undefined;
}
