/**
 * The pipeline of `@huggingface/tokenizers`, with its BERT stages, normalizers, byte-level splitting and models replaced by
 * ours, which agree with the native library where it does not, and take bounded time on any text.
 */
import * as huggingFace from '@huggingface/tokenizers';
import { badInput } from '../util/errors.ts';
import { bertWords } from './bert-text.ts';
import { byteLevelPattern } from './byte-level.ts';
import { bytePairEncoder } from './byte-pair.ts';
import { normalizerOf } from './normalizer.ts';
import type { PlacingPipeline } from './placed-pieces.ts';
import { type Splitter, sectionCutter } from './text-sections.ts';
import type { TokenizerJson, TokenizerStage } from './tokenizer-json.ts';
import { normalizeBounded } from './unicode-normalize.ts';
import { wordPieceEncoder } from './word-piece.ts';

/** The part of the library's tokenizer that is used here. */
export interface Pipeline {
  readonly normalizer: { normalize: (text: string) => string } | null;
  readonly pre_tokenizer: PreTokenizer | null;
  readonly model: {
    encode: (words: readonly string[]) => readonly string[];
    readonly unk_token_id?: number | undefined;
  } | null;
  readonly post_processor:
    | ((tokens: readonly string[], pair: null, addSpecialTokens: boolean) => { readonly tokens: readonly string[] })
    | null;
  encode(text: string, options: { add_special_tokens: boolean }): { readonly ids: readonly (number | undefined)[] };
  readonly added_tokens_map: ReadonlyMap<string, { readonly lstrip: boolean; readonly rstrip: boolean }>;
  readonly splitter_unnormalized: Splitter;
  readonly splitter_normalized: Splitter;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

/** A normalizer or pre-tokenizer class of the library. */
type StageClass = abstract new (...args: never) => object;

/** The library's type declarations do not resolve under Node's rules; this is what is used of it. */
const library = huggingFace as unknown as {
  readonly Tokenizer: new (json: TokenizerJson, config: object) => Pipeline;
  readonly BertPreTokenizer: StageClass;
  readonly ByteLevelPreTokenizer: StageClass;
};

interface PreTokenizer {
  pre_tokenize_text: (text: string, options: object) => readonly string[];
  /** The stages of a Sequence. */
  readonly tokenizers?: readonly (PreTokenizer | null)[];
}

/** Builds the pipeline of a checked `tokenizer.json`. */
export function buildPipeline(json: TokenizerJson, vocabulary: ReadonlyMap<string, number>): Pipeline {
  const pipeline = new library.Tokenizer(json, { clean_up_tokenization_spaces: false });
  const { normalizer, model } = json;
  if (pipeline.normalizer !== null) {
    const ofLibrary = pipeline.normalizer.normalize.bind(pipeline.normalizer);
    pipeline.normalizer.normalize = normalizerOf(normalizer) ?? ((text) => normalizeBounded(text, ofLibrary));
  }
  correctPreTokenizer(pipeline.pre_tokenizer);
  if (model.type === 'WordPiece' && pipeline.model !== null) {
    pipeline.model.encode = wordPieceEncoder(vocabulary, {
      unknownToken: model.unk_token as string,
      continuingPrefix: model.continuing_subword_prefix as string,
      maxWordLength: model.max_input_chars_per_word as number,
    });
  } else if (model.type === 'BPE' && pipeline.model !== null) {
    const encode = pipeline.model.encode.bind(pipeline.model);
    pipeline.model.encode = bytePairEncoder(model, vocabulary, encode) ?? encode;
  }
  return pipeline;
}

/**
 * The parts of a pipeline that pieces are placed with.
 * @throws LexrayError BAD_INPUT for kinds of tokenizers whose pieces do not spell the text
 */
export function placingPipeline(json: TokenizerJson, pipeline: Pipeline, where: string): PlacingPipeline {
  const { normalizer, pre_tokenizer: splitter, model } = json;
  const kind =
    model.type === 'WordPiece' && splitter?.type === 'BertPreTokenizer'
      ? 'bert'
      : model.type === 'BPE' && endsInBytes(splitter)
        ? 'bytes'
        : undefined;
  if (kind === undefined || pipeline.pre_tokenizer === null || pipeline.model === null) {
    throw badInput(
      `where its tokens are in a text is not known of this tokenizer (${model.type} after ${splitter?.type ?? 'no pre-tokenizer'})`,
      { where, cure: "expected WordPiece with BERT's words, or byte-level BPE" },
    );
  }
  const { pre_tokenizer: split, model: pieces } = pipeline;
  return {
    kind,
    normalize: normalizer === null || pipeline.normalizer === null ? (text) => text : pipeline.normalizer.normalize,
    split: (text) => split.pre_tokenize_text(text, {}),
    encodeWord: (word) => pieces.encode([word]),
    continuingPrefix: kind === 'bert' ? (model.continuing_subword_prefix as string) : '',
    splitRaw: sectionCutter(pipeline.splitter_unnormalized, pipeline.added_tokens_map),
    splitNormalized: sectionCutter(pipeline.splitter_normalized, pipeline.added_tokens_map),
  };
}

function correctPreTokenizer(stage: PreTokenizer | null): void {
  if (stage === null) return;
  if (stage instanceof library.BertPreTokenizer) stage.pre_tokenize_text = bertWords;
  if (stage instanceof library.ByteLevelPreTokenizer) Object.assign(stage, { pattern: byteLevelPattern });
  stage.tokenizers?.forEach(correctPreTokenizer);
}

/** Whether a pre-tokenizer's last stage writes words in byte characters. */
function endsInBytes(stage: TokenizerStage | null): boolean {
  if (stage?.type === 'ByteLevel') return true;
  return stage?.type === 'Sequence' && Array.isArray(stage.pretokenizers) && endsInBytes(stage.pretokenizers.at(-1));
}
