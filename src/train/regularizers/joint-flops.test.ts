import { describe, expect, it } from 'vitest';
import { evaluateBatch } from '../../../test/fixtures/batch-weights.ts';
import { type JointFlopsOptions, JointFlopsRegularizer } from './joint-flops.ts';

const queries = [
  [1, 0, 2, 0],
  [0, 3, 1, 0],
];
const documents = [
  [2, 0, 1, 5],
  [1, 1, 0, 0],
  [0, 4, 2, 1],
];

function run(options: JointFlopsOptions, side = documents) {
  return evaluateBatch({ queries, documents: side }, { regularizer: new JointFlopsRegularizer(options), side: 'both' });
}

function score(query: readonly number[], document: readonly number[]): number {
  return query.reduce((sum, weight, v) => sum + weight * document[v]!, 0);
}

describe('JointFlopsRegularizer', () => {
  it('is the mean of all scores of the batch', () => {
    const scores = queries.flatMap((query) => documents.map((document) => score(query, document)));
    expect(run({}).value).toBeCloseTo(scores.reduce((sum, s) => sum + s) / scores.length, 12);
  });

  it('is the mean score of positives when asked to', () => {
    const found = run({ pairs: 'positives' });
    expect(found.value).toBeCloseTo((score(queries[0]!, documents[0]!) + score(queries[1]!, documents[1]!)) / 2, 12);
    expect(found.documents[2]!.every((slope) => slope === 0)).toBe(true);
    expect(found.queries[0]).toEqual(documents[0]!.map((weight) => weight / 2));
  });

  it.each(['all', 'positives'] as const)(
    'leaves a term free that one side lacks, and a side free that is 0 (%s)',
    (pairs) => {
      const { documents: slopes } = run({ pairs });
      expect(slopes.map((row) => row[3])).toEqual([0, 0, 0]);
      const zeros = documents.map((document) => document.map(() => 0));
      const dead = run({ pairs }, zeros);
      expect(dead.value).toBe(0);
      expect(dead.queries.flat().every((slope) => slope === 0)).toBe(true);
    },
  );
});
