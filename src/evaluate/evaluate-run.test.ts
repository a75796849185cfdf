import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Qrels } from '../data/qrels.ts';
import type { Run } from '../data/run.ts';
import { evaluateRun } from './evaluate-run.ts';

interface Golden {
  readonly qrels: Record<string, Record<string, number>>;
  readonly run: Record<string, Record<string, number>>;
  readonly mean: Record<string, number>;
  readonly perQuery: Record<string, Record<string, number>>;
}

function qrelsOf(object: Golden['qrels']): Qrels {
  return new Map(Object.entries(object).map(([qid, grades]) => [qid, new Map(Object.entries(grades))]));
}

function runOf(object: Golden['run']): Run {
  return new Map(
    Object.entries(object).map(([qid, scores]) => [
      qid,
      Object.entries(scores).map(([docid, score]) => ({ docid, score })),
    ]),
  );
}

describe('equals trec_eval, through ir_measures', () => {
  const path = new URL('../../test/fixtures/goldens/trec-eval.json', import.meta.url);
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
  const names = Object.keys(golden.mean);
  const evaluation = evaluateRun(qrelsOf(golden.qrels), runOf(golden.run), names);

  test('the names are those of ir_measures', () => {
    expect(names.length).toBe(28);
    expect([...evaluation.mean.keys()]).toEqual(names);
  });

  test.each(names)('%s', (name) => {
    const values = evaluation.perQuery.get(name);
    expect([...(values?.keys() ?? [])].sort()).toEqual(Object.keys(golden.qrels).sort());
    for (const [qid, value] of Object.entries(golden.perQuery[name] ?? {})) {
      expect(Math.abs((values?.get(qid) ?? Number.NaN) - value), qid).toBeLessThanOrEqual(1e-12);
    }
    expect(Math.abs((evaluation.mean.get(name) ?? Number.NaN) - (golden.mean[name] ?? 0))).toBeLessThanOrEqual(1e-12);
  });

  test('the queries that the golden is there for are in it', () => {
    expect(evaluation.missingQueries.length).toBe(4);
    expect(evaluation.queriesWithoutRelevant.length).toBeGreaterThan(5);
    expect(evaluation.unjudgedQueries).toEqual(['only-in-run']);
  });
});

describe('evaluateRun', () => {
  const qrels = qrelsOf({ q1: { a: 1 }, q2: { a: 0 }, q3: { b: 2 } });

  test('warns about queries on one side only and queries without relevant documents', () => {
    const warnings: string[] = [];
    evaluateRun(qrels, runOf({ q1: { a: 1 }, q2: { a: 1 }, other: { a: 1 } }), ['P@1'], {
      onWarning: (message) => warnings.push(message),
    });
    expect(warnings).toEqual([
      '1 of 3 judged queries are not in the run and count 0: q3',
      '1 queries of the run have no judgements and are left out: other',
      '1 of 3 queries have no relevant document and count 0: q2',
    ]);
  });

  test('leaves out the document that is the query, if asked', () => {
    const self = qrelsOf({ q: { a: 1 } });
    const run = runOf({ q: { q: 9, a: 1 } });
    expect(evaluateRun(self, run, ['RR@10']).mean.get('RR@10')).toBe(0.5);
    expect(evaluateRun(self, run, ['RR@10'], { dropSameId: true }).mean.get('RR@10')).toBe(1);
  });

  test('a run without any query counts 0', () => {
    expect([...evaluateRun(qrels, new Map(), ['nDCG@10', 'Judged@10']).mean.values()]).toEqual([0, 0]);
  });

  test('refuses a run of which no query is judged', () => {
    const run = runOf({ other: { a: 1 }, another: { a: 1 } });
    expect(() => evaluateRun(qrels, run, ['nDCG@10'])).toThrow(
      'no query of the run (other, another) is in the qrels (q1, q2, q3)',
    );
  });

  test('does not reorder the run that it is given', () => {
    const documents = Object.freeze([
      { docid: 'x', score: 1 },
      { docid: 'a', score: 2 },
    ]);
    expect(
      evaluateRun(qrels, new Map([['q1', documents]]), ['RR'])
        .perQuery.get('RR')
        ?.get('q1'),
    ).toBe(1);
  });

  test('refuses empty qrels, a document twice and scores that are NaN', () => {
    const twice = [
      { docid: 'a', score: 1 },
      { docid: 'a', score: 2 },
    ];
    expect(() => evaluateRun(new Map(), new Map(), ['AP'])).toThrow(/qrels are empty/);
    expect(() => evaluateRun(qrels, new Map([['q1', twice]]), ['AP'])).toThrow(/document a occurs twice for query q1/);
    expect(() => evaluateRun(qrels, runOf({ q1: { a: Number.NaN } }), ['AP'])).toThrow(/NaN/);
  });
});
