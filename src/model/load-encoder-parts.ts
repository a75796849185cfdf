/** Reads a model folder into an engine: the parts of a {@link SparseEncoder}. */
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import { modelShape } from '../checkpoint/families/registry.ts';
import type { EncoderModules } from '../checkpoint/layouts/encoder-modules.ts';
import { type ModelFolder, openModelFolder } from '../checkpoint/layouts/model-folder.ts';
import type { LexrayModelPolicy } from '../checkpoint/layouts/model-policy.ts';
import type { WeightPrecision } from '../compute/graph/compact-weights.ts';
import type { Engine } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import { checkVocabulary } from '../tokenizer/check-vocabulary.ts';
import { loadTokenizer } from '../tokenizer/load-tokenizer.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { LexrayError, throwIfAborted } from '../util/errors.ts';
import type { WarningListener } from '../util/progress.ts';
import {
  type EncoderParts,
  type QueryParts,
  queryPrefix,
  type TextKind,
  type TransformerParts,
} from './encoder-parts.ts';
import { modelVariables } from './splade-graph.ts';
import { tokenWeights } from './token-weights.ts';

/** Options of {@link loadEncoderParts}. */
export interface LoadEncoderOptions {
  /** Threads of the engine. @default the number of cores */
  readonly threads?: number | undefined;
  /**
   * How the matrices of the model are kept. float16 halves their memory; int8 is faster as well, but rounds the hidden
   * states of a batch too, so that vectors depend a little on what they are encoded with. @default 'float32'
   */
  readonly weights?: WeightPrecision | undefined;
  /** Most tokens of a text, special tokens included. @default what the model records */
  readonly maxLength?: number | undefined;
  /**
   * What texts will be encoded: what they do not need is not loaded, and without a transformer no engine is opened.
   * @default both
   */
  readonly kinds?: readonly TextKind[] | undefined;
  /** An engine without variables, to be used and disposed of by the encoder. @default onnxruntime */
  readonly engine?: Engine | undefined;
  readonly onWarning?: WarningListener | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a model folder and fills an engine with its weights.
 * @throws LexrayError BAD_INPUT when the folder does not fit, ENGINE_MISSING without onnxruntime-node
 */
export async function loadEncoderParts(folder: string, options: LoadEncoderOptions): Promise<EncoderParts> {
  const { onWarning, signal } = options;
  const model = await openModelFolder(folder, onWarning ? { onWarning } : {});
  let engine = options.engine;
  try {
    const document = await transformerParts(model, folder, onWarning);
    const query = await queryParts(model, document.tokenizer, onWarning);
    const policy = withMaxLength(model, options.maxLength);
    throwIfAborted(signal);
    const encoders = neededEncoders(model, options.kinds ?? ['query', 'document']);
    if (encoders.length > 0) {
      engine ??= await openOrtEngine({ threads: options.threads, weights: options.weights });
      await engine.createVariables(encoders.flatMap(([{ config }, prefix]) => modelVariables(config, false, prefix)));
      for (const [checkpoint, prefix] of encoders) await fillEngine(engine, checkpoint, prefix, signal);
    }
    return { ...document, engine, query, policy, maxActiveDims: model.maxActiveDims, kinds: options.kinds };
  } catch (error) {
    await engine?.dispose();
    throw error;
  } finally {
    await model.close();
  }
}

/** The checkpoints that texts of these kinds go through, and what comes before the names of their variables. */
function neededEncoders({ checkpoint, query }: ModelFolder, kinds: readonly TextKind[]): [Checkpoint, string][] {
  const encoders: [Checkpoint, string][] = [];
  if (kinds.includes('document') || query.kind === 'shared') encoders.push([checkpoint, '']);
  if (kinds.includes('query') && query.kind === 'encoder') encoders.push([query.checkpoint, queryPrefix]);
  return encoders;
}

async function transformerParts(
  { checkpoint: { config }, pooling, tokenizerFolder, outputVocabulary }: Omit<EncoderModules, 'casing'>,
  where: string,
  onWarning: WarningListener | undefined,
): Promise<TransformerParts> {
  const tokenizer = await loadTokenizer(tokenizerFolder);
  const { inputVocabularySize, ownTerms } = modelShape(config);
  checkVocabulary(tokenizer, inputVocabularySize, { where, ownTerms, onWarning });
  return { config, activation: pooling.activation, pooling: pooling.strategy, tokenizer, outputVocabulary };
}

async function queryParts(
  { query, checkpoint, folder }: ModelFolder,
  documents: Tokenizer,
  onWarning: WarningListener | undefined,
): Promise<QueryParts | undefined> {
  if (query.kind === 'shared') return undefined;
  const { casing } = query;
  if (query.kind === 'encoder') {
    const parts = await transformerParts(query, folder, onWarning);
    return { kind: 'encoder', casing, prefix: queryPrefix, ...parts };
  }
  const dimensions = modelShape(checkpoint.config).vocabularySize;
  const tokenizer = await loadTokenizer(query.tokenizerFolder);
  checkVocabulary(tokenizer, dimensions, { where: query.tokenizerFolder });
  warnOfOtherTokens(tokenizer, documents, query.tokenizerFolder, onWarning);
  const weights = tokenWeights(query, tokenizer, dimensions, onWarning);
  return { kind: 'static', casing, tokenizer, weights: () => weights };
}

/** Token weights score the documents' dimensions by number: the two tokenizers must mean the same by it. */
function warnOfOtherTokens(
  queries: Tokenizer,
  documents: Tokenizer,
  where: string,
  onWarning: WarningListener | undefined,
): void {
  const size = Math.min(queries.size, documents.size);
  const other = Array.from({ length: size }, (_, id) => id).filter((id) => queries.token(id) !== documents.token(id));
  const [first] = other;
  if (first === undefined) return;
  const [ours, theirs] = [queries, documents].map((tokenizer) => JSON.stringify(tokenizer.token(first) ?? null));
  onWarning?.(
    `${where}: ${other.length} tokens differ from those of the documents: ${first} is ${ours}, of the documents ${theirs}`,
  );
}

async function fillEngine(
  engine: Engine,
  checkpoint: Checkpoint,
  prefix: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const { name, data } of checkpoint.loadWeights()) {
    throwIfAborted(signal);
    await engine.writeVariable(prefix + name, 'value', data);
  }
}

/** The policy with another maximum length for both kinds of text. */
function withMaxLength({ policy, checkpoint, query }: ModelFolder, maxLength: number | undefined): LexrayModelPolicy {
  if (maxLength === undefined) return policy;
  const encoders = [checkpoint, ...(query.kind === 'encoder' ? [query.checkpoint] : [])];
  const limit = Math.min(...encoders.map(({ config }) => modelShape(config).maxPositions));
  if (!Number.isInteger(maxLength) || maxLength < 1 || maxLength > limit) {
    throw new LexrayError('USAGE', `a maximum length from 1 to ${limit} tokens expected, got ${maxLength}`, {
      cure: 'the model has no positions beyond its limit',
    });
  }
  return { ...policy, maxLength: { query: maxLength, document: maxLength } };
}
