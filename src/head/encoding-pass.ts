/**
 * The one pass of texts through an encoder from which all of the calibration is computed. Texts are cut to 64 tokens; the
 * first 128 that have six words are encoded in two halves as well, of 32 tokens at most. Token-level logits are taken at 2,048 tokens chosen at
 * random (all of them when there are fewer), since 512 texts have about a billion of them.
 */
import { modelShape } from '../checkpoint/families/registry.ts';
import { type ModelFolder, requireSharedEncoder } from '../checkpoint/layouts/model-folder.ts';
import type { Engine, Program, Tensor } from '../compute/runtime/engine.ts';
import { openOrtEngine } from '../compute/runtime/ort-engine.ts';
import { droppedTerms } from '../model/dropped-terms.ts';
import { lengthSortedBatches, preparedText } from '../model/sparse-encoder.ts';
import { modelVariables } from '../model/splade-graph.ts';
import { packTokens } from '../model/token-layout.ts';
import { checkVocabulary } from '../tokenizer/check-vocabulary.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener } from '../util/progress.ts';
import { Random } from '../util/random.ts';
import { relativeNormsOf } from './correction.ts';
import type { EncodingCache, HeadInputMoments, TokenLogits } from './encoding-cache.ts';
import { deviationGraph, pooledGraph, tokenLogitsGraph } from './head-programs.ts';
import type { HeadStatistics } from './head-statistics.ts';
import { LogitHistogram } from './logit-histogram.ts';
import { textHalves } from './text-halves.ts';

/** Texts of a pass at most. */
export const mostTexts = 512;
/** Texts below which the figures would say nothing. */
export const leastTexts = 8;
/** Tokens of a text at most. */
export const textTokens = 64;
const mostPairs = 128;
const sampledTokens = 2048;
/** Tokens of a batch: few, since what a batch needs in memory stands beside the weights. */
const batchTokens = 512;
const buckets = 2;
/** Sampled tokens whose logits are in memory at a time. */
const tokenRows = 64;
/** Rows of the decoder whose deviations are computed at a time. */
const termRows = 512;
/** Bytes of pooled logits that are kept at most: wide vocabularies get fewer texts. */
const mostCacheBytes = 512 << 20;

/** Options of {@link runEncodingPass}. */
export interface EncodingPassOptions {
  /** Texts to halve, where the texts themselves are not fit for it. @default the texts */
  readonly halved?: readonly string[] | undefined;
  /** Of the choice of tokens. @default 42 */
  readonly seed?: number | undefined;
  /** @default the number of cores */
  readonly threads?: number | undefined;
  /** An engine without variables, disposed of at the end. @default onnxruntime */
  readonly engine?: Engine | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/**
 * Texts that a pass can use: without blank ones and repetitions, at most 512, and no more than the vocabulary's width lets
 * the cache hold.
 * @throws LexrayError BAD_INPUT when fewer than 8 are left
 */
export function usableTexts(texts: Iterable<string>, vocabularySize: number, source?: string): string[] {
  const most = Math.max(leastTexts, Math.min(mostTexts, Math.floor(mostCacheBytes / 4 / vocabularySize / 2)));
  const chosen = new Set<string>();
  for (const text of texts) {
    if (text.trim() !== '') chosen.add(text.trim());
    if (chosen.size === most) break;
  }
  if (chosen.size < leastTexts) {
    const count = chosen.size === 1 ? 'one text' : `${chosen.size} texts`;
    throw badInput(`expected at least ${leastTexts} different texts that are not empty, got ${count}`, {
      ...(source !== undefined && { where: source }),
      cure: 'scores of unrelated texts need several of them: give 64 or more, 512 are best',
    });
  }
  return [...chosen];
}

/**
 * Encodes texts with a model and keeps what calibration needs.
 * @param texts made by {@link usableTexts}
 * @throws LexrayError ENGINE_MISSING without onnxruntime-node; BAD_INPUT when tokenizer and head do not fit or the model
 * pools by sum; FAILED when the model gives numbers that are not finite
 */
export async function runEncodingPass(
  model: ModelFolder,
  tokenizer: Tokenizer,
  head: Pick<HeadStatistics, 'rowNorms' | 'location'>,
  texts: readonly string[],
  options: EncodingPassOptions = {},
): Promise<EncodingCache> {
  requireSharedEncoder(model, 'a diagnosis');
  const { config } = model.checkpoint;
  const { vocabularySize, bias } = head.location;
  if (model.pooling.strategy !== 'max') {
    throw badInput(`expected max pooling, got ${model.pooling.strategy}`, {
      where: model.folder,
      cure: 'a head can be diagnosed for max pooling only',
    });
  }
  const { inputVocabularySize, ownTerms } = modelShape(config);
  checkVocabulary(tokenizer, inputVocabularySize, { where: model.folder, ownTerms });
  const { signal } = options;
  const biasValues = bias === undefined ? new Float32Array(vocabularySize) : await model.checkpoint.readTensor(bias);
  const engine =
    options.engine ?? (await openOrtEngine(options.threads === undefined ? {} : { threads: options.threads }));
  try {
    await engine.createVariables(modelVariables(config, false));
    for await (const { name, data } of model.checkpoint.loadWeights()) {
      throwIfAborted(signal);
      await engine.writeVariable(name, 'value', data);
    }
    const inputs = tokenize(texts, options.halved ?? texts, model, tokenizer);
    const pass = new Pass(engine, model, head.location.width, vocabularySize, inputs, options);
    const { pooled, moments, sample } = await pass.run();
    const tokenLogits = await countTokenLogits(engine, model, sample, biasValues, pass.tokenCount, signal);
    return {
      vocabularySize,
      activation: model.pooling.activation,
      bias: biasValues,
      relativeNorms: relativeNormsOf(head.rowNorms),
      pooled: pooled.slice(0, texts.length),
      pairs: Array.from(
        { length: (pooled.length - texts.length) / 2 },
        (_, i) => [pooled[texts.length + 2 * i]!, pooled[texts.length + 2 * i + 1]!] as const,
      ),
      dropped: droppedTerms(model.policy, config, tokenizer),
      tokenLogits,
      moments,
      exactDeviation: await meanDeviation(engine, model, moments, vocabularySize),
    };
  } finally {
    await engine.dispose();
  }
}

interface PassInputs {
  /** Token ids of the texts, then of the halves. */
  readonly sequences: readonly Int32Array[];
  /** Texts that are whole. */
  readonly texts: number;
}

function tokenize(
  texts: readonly string[],
  halved: readonly string[],
  model: ModelFolder,
  tokenizer: Tokenizer,
): PassInputs {
  const { policy } = model;
  const encode = (text: string, kind: 'query' | 'document', tokens: number): Int32Array =>
    tokenizer.encode(preparedText(text, kind, policy), { maxLength: Math.min(tokens, policy.maxLength[kind]) });
  const halves: Int32Array[] = [];
  for (const text of halved) {
    if (halves.length === 2 * mostPairs) break;
    const parts = textHalves(text);
    if (parts === undefined) continue;
    const pair = [encode(parts[0], 'query', textTokens / 2), encode(parts[1], 'document', textTokens / 2)];
    if (pair.every(({ length }) => length > 0)) halves.push(...pair);
  }
  const whole = texts.map((text) => encode(text, 'document', textTokens));
  const empty = whole.findIndex(({ length }) => length === 0);
  if (empty !== -1) {
    throw badInput(`the tokenizer makes no token of the text ${JSON.stringify(texts[empty]!.slice(0, 60))}`, {
      cure: 'leave it out',
    });
  }
  return { sequences: [...whole, ...halves], texts: texts.length };
}

/** The batches of a pass and what is summed over them. */
class Pass {
  /** Tokens of the whole texts. */
  readonly tokenCount: number;
  readonly #engine: Engine;
  readonly #model: ModelFolder;
  readonly #width: number;
  readonly #terms: number;
  readonly #inputs: PassInputs;
  readonly #options: EncodingPassOptions;
  readonly #programs = new Map<number, Program>();
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;

  constructor(
    engine: Engine,
    model: ModelFolder,
    width: number,
    terms: number,
    inputs: PassInputs,
    options: EncodingPassOptions,
  ) {
    this.#engine = engine;
    this.#model = model;
    this.#width = width;
    this.#terms = terms;
    this.#inputs = inputs;
    this.#options = options;
    this.#sums = new Float64Array(width);
    this.#squares = new Float64Array(width * width);
    this.tokenCount = inputs.sequences.slice(0, inputs.texts).reduce((sum, { length }) => sum + length, 0);
  }

  async run(): Promise<{ pooled: Float32Array[]; moments: HeadInputMoments; sample: Float32Array }> {
    const { sequences, texts } = this.#inputs;
    const pooled = sequences.map(() => new Float32Array(this.#terms));
    const starts: number[] = [];
    let start = 0;
    for (const { length } of sequences.slice(0, texts)) {
      starts.push(start);
      start += length;
    }
    const chosen = chooseRows(this.tokenCount, sampledTokens, this.#options.seed ?? 42);
    const sample = new Float32Array(chosen.size * this.#width);
    let done = 0;
    for (const part of [range(0, texts), range(texts, sequences.length)]) {
      for (const batch of lengthSortedBatches(
        part.map((i) => sequences[i]!),
        batchTokens,
      )) {
        throwIfAborted(this.#options.signal);
        const members = batch.map((i) => part[i]!);
        const { packed, outputs } = await this.#runBatch(members.map((i) => sequences[i]!));
        takeColumns(outputs.pooled, members.length, (at) => pooled[members[packed.columns.indexOf(at)]!]!);
        if (members[0]! < texts) this.#addMoments(outputs.moments, outputs.hidden);
        let row = 0;
        // Packed tokens lie in bucket order, which is that of the columns.
        for (let column = 0; column < members.length; column++) {
          const member = members[packed.columns.indexOf(column)]!;
          for (let j = 0; j < sequences[member]!.length; j++, row++) {
            const place = member < texts ? chosen.get(starts[member]! + j) : undefined;
            if (place === undefined) continue;
            sample.set(outputs.hidden.subarray(row * this.#width, (row + 1) * this.#width), place * this.#width);
          }
        }
        done += members.length;
        this.#options.onProgress?.({ phase: 'encode texts', done, total: sequences.length, unit: 'texts' });
      }
    }
    for (const program of this.#programs.values()) await program.dispose();
    return { pooled, moments: this.#moments(), sample };
  }

  async #runBatch(sequences: readonly Int32Array[]): Promise<{
    packed: ReturnType<typeof packTokens>;
    outputs: { pooled: Float32Array; hidden: Float32Array; moments: Float32Array };
  }> {
    const { config, family } = this.#model.checkpoint;
    const packed = packTokens(sequences, { buckets, ...family.shape(config) });
    let program = this.#programs.get(packed.bucketCount);
    if (program === undefined) {
      program = await this.#engine.compile(pooledGraph(config, packed.bucketCount));
      this.#programs.set(packed.bucketCount, program);
    }
    const { pooled, hidden, moments } = await program.run(packed.feeds);
    const data = (tensor: typeof pooled): Float32Array => tensor!.data as Float32Array;
    return { packed, outputs: { pooled: data(pooled), hidden: data(hidden), moments: data(moments) } };
  }

  #addMoments(moments: Float32Array, hidden: Float32Array): void {
    for (let i = 0; i < moments.length; i++) this.#squares[i]! += moments[i]!;
    for (let row = 0; row < hidden.length; row += this.#width) {
      for (let i = 0; i < this.#width; i++) this.#sums[i]! += hidden[row + i]!;
    }
  }

  #moments(): HeadInputMoments {
    const mean = this.#sums.map((sum) => sum / this.tokenCount);
    const width = this.#width;
    const covariance = this.#squares.map(
      (sum, at) => sum / this.tokenCount - mean[Math.floor(at / width)]! * mean[at % width]!,
    );
    return { tokens: this.tokenCount, mean, covariance };
  }
}

/** Histograms of the logits of the sampled tokens. */
async function countTokenLogits(
  engine: Engine,
  model: ModelFolder,
  sample: Float32Array,
  bias: Float32Array,
  tokens: number,
  signal: AbortSignal | undefined,
): Promise<TokenLogits> {
  const program = await engine.compile(tokenLogitsGraph(model.checkpoint.config));
  const logits = new LogitHistogram();
  const ratios = { positiveBias: new LogitHistogram(), negativeBias: new LogitHistogram() };
  const withoutBias = { count: 0, positive: 0 };
  const width = model.checkpoint.family.shape(model.checkpoint.config).decoderWidth;
  const rows = sample.length / width;
  for (let start = 0; start < rows; start += tokenRows) {
    throwIfAborted(signal);
    const count = Math.min(tokenRows, rows - start);
    const data = sample.slice(start * width, (start + count) * width);
    const outputs = await program.run({ rows: { dtype: 'float32', dims: [count, width], data } });
    const u = outputs.logits!.data as Float32Array;
    const z = new Float32Array(count);
    const ratio = new Float32Array(count);
    for (let term = 0; term < bias.length; term++) {
      const b = bias[term]!;
      const at = term * count;
      for (let i = 0; i < count; i++) z[i] = u[at + i]! + b;
      logits.addAll(z);
      if (b === 0) {
        withoutBias.count += count;
        for (let i = 0; i < count; i++) if (z[i]! > 0) withoutBias.positive++;
        continue;
      }
      for (let i = 0; i < count; i++) ratio[i] = -u[at + i]! / b;
      (b > 0 ? ratios.positiveBias : ratios.negativeBias).addAll(ratio);
    }
  }
  await program.dispose();
  return { logits, ratios, withoutBias, sampledTokens: rows, tokens };
}

async function meanDeviation(
  engine: Engine,
  model: ModelFolder,
  moments: HeadInputMoments,
  terms: number,
): Promise<number> {
  const program = await engine.compile(deviationGraph(model.checkpoint.config));
  const width = moments.mean.length;
  const covariance: Tensor = { dtype: 'float32', dims: [width, width], data: Float32Array.from(moments.covariance) };
  let sum = 0;
  for (let start = 0; start < terms; start += termRows) {
    const ids = BigInt64Array.from(range(start, Math.min(terms, start + termRows)), BigInt);
    const { deviations } = await program.run({ terms: { dtype: 'int64', dims: [ids.length], data: ids }, covariance });
    for (const value of deviations!.data as Float32Array) sum += value;
  }
  await program.dispose();
  if (!Number.isFinite(sum)) {
    throw new LexrayError('FAILED', `the deviation of the logits over tokens is ${sum}`, {
      cure: 'the weights of the head are too large, or damaged by a training that failed',
    });
  }
  return sum / terms;
}

/** Copies the columns of a [terms, columns] matrix into arrays of their own. */
function takeColumns(matrix: Float32Array, columns: number, target: (column: number) => Float32Array): void {
  const targets = Array.from({ length: columns }, (_, column) => target(column));
  for (let p = 0, term = 0; p < matrix.length; term++) {
    for (let column = 0; column < columns; column++, p++) {
      const value = matrix[p]!;
      if (value - value !== 0) {
        throw new LexrayError('FAILED', `the model gives the logit ${value} at dimension ${term}`, {
          cure: 'its weights are too large, or damaged by a training that failed',
        });
      }
      targets[column]![term] = value;
    }
  }
}

/** Numbers below `total`, chosen at random without repetition (Floyd), each with its place in ascending order. */
function chooseRows(total: number, most: number, seed: number): ReadonlyMap<number, number> {
  const chosen = new Set<number>();
  if (total <= most) {
    for (let i = 0; i < total; i++) chosen.add(i);
  } else {
    const random = new Random(seed);
    for (let last = total - most; last < total; last++) {
      const at = random.integer(last + 1);
      chosen.add(chosen.has(at) ? last : at);
    }
  }
  return new Map([...chosen].sort((a, b) => a - b).map((token, place) => [token, place]));
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
