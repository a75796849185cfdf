/** Forecasts of encoding: a sample of the texts is encoded, and its rate and number of active dimensions are scaled up. */
import type { TextKind } from '../model/encoder-parts.ts';
import type { SparseEncoder } from '../model/sparse-encoder.ts';
import type { Forecast } from './forecast.ts';

/** Texts of one kind that would be encoded. */
export interface PlannedTexts {
  readonly kind: TextKind;
  readonly texts: AsyncIterable<string> | Iterable<string>;
  /** How many there are. */
  readonly total: number;
}

/** Options of {@link forecastEncoding}. */
export interface EncodingForecastOptions {
  readonly maxActiveDims?: number | undefined;
  /** How many times the vectors are held in memory; 0 when they are streamed to disk. */
  readonly copiesInMemory: number;
  /** Whether the vectors are written. */
  readonly written: boolean;
  readonly signal?: AbortSignal | undefined;
}

const sampleSize = 64;
const bytesOfEntry = 8;

/** Encodes the first texts of each kind, and estimates the rest. */
export async function forecastEncoding(
  encoder: SparseEncoder,
  plans: readonly PlannedTexts[],
  options: EncodingForecastOptions,
): Promise<Forecast> {
  let seconds = 0;
  let entries = 0;
  const basis: string[] = [];
  for (const { kind, texts, total } of plans) {
    const sample = await take(texts, sampleSize);
    const encode = { kind, maxActiveDims: options.maxActiveDims, signal: options.signal };
    // The first text carries the set-up of the graph, which is paid once.
    const warmUp = performance.now();
    for await (const _ of encoder.encode(sample.slice(0, 1), encode));
    const start = performance.now();
    let active = 0;
    for await (const { indices } of encoder.encode(sample, encode)) active += indices.length;
    const perText = (performance.now() - start) / 1000 / sample.length;
    seconds += (start - warmUp) / 1000 + perText * total;
    entries += (active / sample.length) * total;
    basis.push(`the first ${sample.length} of ${total} ${kind === 'query' ? 'queries' : 'documents'}`);
  }
  const vectorBytes = Math.ceil(entries * bytesOfEntry);
  return {
    seconds,
    memoryBytes: process.memoryUsage().rss + vectorBytes * options.copiesInMemory,
    outputBytes: options.written ? vectorBytes : 0,
    basis: `${basis.join(' and ')}, encoded`,
  };
}

async function take(texts: AsyncIterable<string> | Iterable<string>, count: number): Promise<string[]> {
  const taken: string[] = [];
  for await (const text of texts) {
    taken.push(text);
    if (taken.length === count) break;
  }
  return taken;
}
