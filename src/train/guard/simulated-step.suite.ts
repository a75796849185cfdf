/** Steps of runs that do not exist: batches of random vectors with a given look, and what a step would return of them. */
import { Random } from '../../util/random.ts';
import type { StepFigures } from './step-health.ts';

/** How the vectors of one side look. */
export interface Look {
  /** Chance of a dimension to be active. */
  readonly density: number;
  /** Share of the vectors that are all zero. @default 0 */
  readonly zero?: number;
  /** All vectors the same but for so large a share of each weight. @default they are unrelated */
  readonly alike?: number;
  /** All vectors have the same active terms, with weights of their own. @default false */
  readonly sameTerms?: boolean;
}

export const vocabularySize = 120;
const pairs = 8;
const negatives = 4;

/** One vector a text, documents with something of their query's. */
export function simulateStep(
  seed: number,
  queries: Look,
  documents: Look,
  limit: number = vocabularySize,
): StepFigures {
  const random = new Random(seed);
  const queryVectors = simulate(random, queries, pairs, limit);
  const documentVectors = simulate(random, documents, pairs + negatives, limit);
  return figuresOf(queryVectors, documentVectors);
}

/** What a step returns of given vectors. */
export function figuresOf(
  queries: readonly Float32Array[],
  documents: readonly Float32Array[],
  figures: Partial<StepFigures> = {},
): StepFigures {
  const scores = queries.flatMap((query) => documents.map((document) => dot(query, document)));
  return {
    loss: 1.5,
    baseLoss: 1,
    parts: { query_regularizer_loss: 0.2, document_regularizer_loss: 0.3 },
    queryActiveDims: Float32Array.from(queries, activeDims),
    documentActiveDims: Float32Array.from(documents, activeDims),
    scores: Float32Array.from(scores),
    queryTerms: { counts: termCounts(queries) },
    documentTerms: { counts: termCounts(documents) },
    ...figures,
  };
}

function simulate(random: Random, look: Look, count: number, limit: number): Float32Array[] {
  const draw = (): Float32Array =>
    Float32Array.from({ length: vocabularySize }, () => (random.uniform() < look.density ? 0.1 + random.uniform() : 0));
  const pattern = draw();
  const one = (): Float32Array => {
    if (look.alike !== undefined) return pattern.map((weight) => weight * (1 + look.alike! * (random.uniform() - 0.5)));
    if (look.sameTerms) return pattern.map((weight) => (weight > 0 ? 0.1 + random.uniform() : 0));
    return draw();
  };
  return Array.from({ length: count }, (_, i) => {
    const vector = keepTop(one(), limit);
    return i < count * (look.zero ?? 0) ? vector.fill(0) : vector;
  });
}

function keepTop(vector: Float32Array, limit: number): Float32Array {
  if (limit >= vector.length) return vector;
  const least = vector.slice().sort().reverse()[limit - 1]!;
  return vector.map((weight) => (weight < least ? 0 : weight));
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let v = 0; v < a.length; v++) sum += a[v]! * b[v]!;
  return sum;
}

function activeDims(vector: Float32Array): number {
  let active = 0;
  for (const weight of vector) if (weight > 0) active++;
  return active;
}

function termCounts(vectors: readonly Float32Array[]): Float32Array {
  const counts = new Float32Array(vectors[0]!.length);
  for (const vector of vectors) for (let v = 0; v < vector.length; v++) if (vector[v]! > 0) counts[v]!++;
  return counts;
}
