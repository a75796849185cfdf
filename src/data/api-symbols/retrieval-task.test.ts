import { describe, expect, it } from 'vitest';
import type { ApiSymbol } from './extract.ts';
import { buildRetrievalTask } from './retrieval-task.ts';

const symbol = (qualifiedName: string, sentence: string, rest: Partial<ApiSymbol> = {}): ApiSymbol => ({
  package: 'pkg',
  qualifiedName,
  name: qualifiedName.split('.').at(-1) ?? '',
  kind: 'method',
  signature: '(): void',
  sentence,
  file: 'pkg/index.d.ts',
  ...rest,
});

const many = Array.from({ length: 4000 }, (_, i) => symbol(`A.m${i}`, `Gives back the part with the ordinal ${i}.`));

describe('buildRetrievalTask', () => {
  it('makes a title of each symbol and a query of each sentence', () => {
    const { documents, queries } = buildRetrievalTask([
      symbol('Map.forEach', 'Calls a function for every entry of the Map.', { package: '@types/node' }),
    ]);
    expect(documents).toMatchObject([{ docid: '@types/node:Map.forEach', title: 'Map for Each : void' }]);
    expect(queries).toMatchObject([
      { text: 'Calls a function for every entry of the.', relevant: ['@types/node:Map.forEach'] },
    ]);
    expect(queries[0]?.qid).toMatch(/^[0-9a-f]{16}$/);
  });

  it('merges queries of the same words', () => {
    const { queries, documents } = buildRetrievalTask([
      symbol('Node.one', 'Returns the first child of an element.'),
      symbol('Tree.two', 'returns the first child of an `element`'),
      symbol('List.three', 'Returns the last child of an element.'),
    ]);
    expect(documents).toHaveLength(3);
    expect(queries.map((query) => query.relevant)).toEqual([['pkg:Node.one', 'pkg:Tree.two'], ['pkg:List.three']]);
  });

  it('drops queries that say too little without the names', () => {
    const task = buildRetrievalTask([symbol('Cursor.position', 'Position of the cursor in it.')]);
    expect(task).toMatchObject({ queries: [], withoutQuery: 1, documents: [{ docid: 'pkg:Cursor.position' }] });
    expect(
      buildRetrievalTask([symbol('Cursor.position', 'Position of the cursor in it.')], { minQueryWords: 3 }).queries,
    ).toHaveLength(1);
  });

  it('splits the queries about 80/10/10', () => {
    const { queries } = buildRetrievalTask(many);
    const count = (split: string): number => queries.filter((query) => query.split === split).length;
    expect(queries).toHaveLength(4000);
    expect(count('test')).toBeGreaterThan(340);
    expect(count('test')).toBeLessThan(460);
    expect(count('dev')).toBeGreaterThan(340);
    expect(count('dev')).toBeLessThan(460);
  });

  it('keeps a query in its split, whatever else there is', () => {
    const all = new Map(buildRetrievalTask(many).queries.map((query) => [query.qid, query.split]));
    const some = buildRetrievalTask(many.toReversed().slice(0, 500));
    for (const query of some.queries) expect(all.get(query.qid)).toBe(query.split);
  });

  it('takes dev from train: the test split does not depend on it', () => {
    const testOf = (devFraction: number): string[] =>
      buildRetrievalTask(many, { devFraction })
        .queries.filter((query) => query.split === 'test')
        .map((query) => query.qid);
    expect(testOf(0)).toEqual(testOf(0.3));
  });

  it('gives docids without white space, each once', () => {
    const { documents } = buildRetrievalTask([
      symbol('A.two words', 'Tells whether it is there or not.'),
      symbol('A.two\twords', 'Tells whether it is there or not.'),
    ]);
    expect(documents.map((document) => document.docid)).toEqual(['pkg:A.two_words', 'pkg:A.two_words~2']);
  });
});
