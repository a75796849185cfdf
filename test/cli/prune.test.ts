/** `prune` as a user runs it: fewer terms, and what that costs and saves, from vectors and from a model. */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verbs } from '../../src/cli/registry.ts';
import { sparseVector } from '../../src/vectors/sparse-vector.ts';
import { SparseVectors } from '../../src/vectors/sparse-vectors.ts';
import { writeVectors } from '../../src/vectors/write-vectors.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { runInProcess } from './run-in-process.ts';
import { lexray, type Outcome, temporaryFolder, writeCollection } from './run-lexray.ts';

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);

/** The result in a `--json` output, checked against the verb's own schema. */
function resultOf({ code, stdout, stderr }: Outcome): Record<string, unknown> {
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { schema: _schema, verb: _verb, lexray: _lexray, ...data } = JSON.parse(stdout) as Record<string, unknown>;
  expect(verbs.find(({ name }) => name === 'prune')!.result.parse(data)).toEqual(data);
  return data;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeCollection(at('data'));
  const documents = Array.from({ length: 6 }, (_, i) =>
    sparseVector(Array.from({ length: 8 }, (_, t) => [(i + t) % 10, 1 + ((i * 7 + t * 5) % 11)] as const)),
  );
  const queries = Array.from({ length: 3 }, (_, i) =>
    sparseVector([
      [i, 2],
      [i + 1, 1],
      [9, 0.5],
    ]),
  );
  const options = { config: {}, parents: {}, tokens: Array.from({ length: 10 }, (_, i) => `t${i}`) };
  const ids = (prefix: string, n: number): string[] => Array.from({ length: n }, (_, i) => `${prefix}${i + 1}`);
  await writeVectors(at('documents'), SparseVectors.fromRows(ids('d', 6), documents, 10), options);
  await writeVectors(at('queries'), SparseVectors.fromRows(ids('q', 3), queries, 10), options);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const given = (): string[] => [
  ...['--queries', at('queries'), '--documents', at('documents'), '--qrels', at('data', 'qrels', 'test.tsv')],
];

describe('prune', () => {
  it('writes vectors with fewer terms, and says from what', async () => {
    const outcome = await runInProcess(
      'prune',
      at('documents'),
      '-o',
      at('short'),
      '--top-k',
      '3',
      '--max-postings',
      '2',
      '--json',
    );
    expect(resultOf(outcome)).toMatchObject({
      strategies: ['top-k=3', 'max-postings=2'],
      vectors: 6,
      entries: { before: 48 },
      activeDims: { before: 8 },
      largestList: { after: 2 },
    });
    const manifest = JSON.parse(await readFile(at('short', 'manifest.json'), 'utf8')) as {
      config: object;
      parents: object;
    };
    expect(manifest).toMatchObject({ format: 'lexray-vectors', config: { topK: 3, maxPostings: 2 } });
    expect(manifest.parents).toEqual({ vectors: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    expect(await readdir(at('short'))).toContain('tokens.jsonl');
    const text = await runInProcess('prune', at('documents'), '-o', at('empty'), '--threshold', '99');
    expect(text).toMatchObject({ code: 0, stdout: expect.stringContaining('0 of 48 entries kept (0 %)') as string });
    expect(text.stderr).toContain('6 of 6 vectors lost all their terms');
  });

  it('measures a grid, writes its frontier, and compares another with it', async () => {
    const args = [
      '--grid',
      'default,0/mass=0.5',
      ...given(),
      '--measures',
      'RR@10,nDCG@10',
      '--passes',
      '1',
      '--samples',
      '200',
    ];
    const outcome = await runInProcess('prune', ...args, '-o', at('frontier'), '--label', 'full', '--json');
    const result = resultOf(outcome) as {
      points: { name: string; measures: object; flops: number }[];
      equalCost: object[];
    };
    expect(result).toMatchObject({ label: 'full', documents: 6, queries: 3 });
    expect(result.points.map(({ name }) => name)).toEqual([
      '(0, 0)',
      '(7, 20)',
      '(5, 20)',
      '(5, 10)',
      'all / mass=0.5',
    ]);
    expect(Object.keys(result.points[0]!.measures)).toEqual(['RR@10', 'nDCG@10']);
    expect(result.points[4]!.flops).toBeLessThan(result.points[0]!.flops);
    expect((await readdir(at('frontier'))).sort()).toEqual([
      'frontier.html',
      'frontier.json',
      'frontier.md',
      'manifest.json',
    ]);
    const manifest = JSON.parse(await readFile(at('frontier', 'manifest.json'), 'utf8')) as { parents: object };
    expect(Object.keys(manifest.parents)).toEqual(['queries', 'documents', 'qrels']);

    const half = ['--grid', '0/0,0/4,0/2', ...given(), '--measures', 'RR@10', '--passes', '1', '--samples', '200'];
    const against = resultOf(await runInProcess('prune', ...half, '--baseline', at('frontier'), '--json'));
    expect((against as { equalCost: { point: string }[] }).equalCost.map(({ point }) => point)).toContain(
      'full (0, 0)',
    );
    const text = await runInProcess('prune', ...half, '--baseline', at('frontier'), '--equal', 'bytes');
    expect(text.code).toBe(0);
    expect(text.stdout).toMatch(/Pruning +FLOPS +RR@10/);
    expect(text.stdout).toContain('A interpolated at the index size of B');
    expect(text.stdout).toContain('noisy');
  });

  it('finds the measures of the unpruned point that search and measure find', async () => {
    const run = at('run.trec');
    await runInProcess('index', at('documents'), '-o', at('index'));
    await runInProcess('search', at('index'), at('queries'), '-o', run);
    const measured = await runInProcess('measure', at('data', 'qrels', 'test.tsv'), run, 'RR@10', '--json');
    const outcome = await runInProcess('prune', '--grid', '0/0', ...given(), '--measures', 'RR@10', '--json');
    const { points } = resultOf(outcome) as { points: { measures: { 'RR@10': { mean: number } } }[] };
    const { measures } = JSON.parse(measured.stdout) as { measures: { 'RR@10': number } };
    expect(points[0]!.measures['RR@10'].mean).toBeCloseTo(measures['RR@10'], 12);
  });

  it('encodes a collection with a model', async () => {
    const args = [
      'prune',
      '--grid',
      '0/0,3/8',
      '--data',
      at('data'),
      '--model',
      tinyModel,
      '--passes',
      '1',
      '--samples',
      '100',
    ];
    const result = resultOf(await lexray([...args, '-o', at('encoded'), '--json']));
    expect(result).toMatchObject({
      label: tinyModel,
      documents: 6,
      queries: 3,
      points: [{ name: '(0, 0)' }, { name: '(3, 8)' }],
    });
    const manifest = JSON.parse(await readFile(at('encoded', 'manifest.json'), 'utf8')) as { parents: object };
    expect(Object.keys(manifest.parents)).toEqual(
      expect.arrayContaining(['data/corpus.jsonl', 'data/queries.jsonl', 'data/qrels/test.tsv', 'model/config.json']),
    );
  });

  it.each([
    ['no vectors', ['-o', 'x', '--top-k', '3'], 2, 'missing VECTORS, or --grid'],
    ['no output', ['documents', '--top-k', '3'], 2, 'missing --output'],
    ['nothing to drop', ['documents', '-o', 'x'], 2, 'nothing says what to drop'],
    ['a share above 1', ['documents', '-o', 'x', '--mass', '2'], 2, 'at most 1, got 2'],
    ['a grid and vectors', ['documents', '--grid', '0/0'], 2, 'takes no VECTORS'],
    ['a grid and a pruning', ['--grid', '0/0', '--mass', '0.5'], 2, 'no other pruning'],
    ['a grid of nothing', ['--grid', '0/0'], 2, '--grid needs a collection'],
    ['a model without data', ['--grid', '0/0', '--model', 'm'], 2, '--grid needs a collection'],
    [
      'a point that is none',
      ['--grid', '7', '--queries', 'queries', '--documents', 'documents', '--qrels', 'data/qrels/test.tsv'],
      2,
      'QUERY/DOCUMENT, got "7"',
    ],
    [
      'a baseline that is none',
      [
        '--grid',
        '0/0',
        '--queries',
        'queries',
        '--documents',
        'documents',
        '--qrels',
        'data/qrels/test.tsv',
        '--baseline',
        'documents',
      ],
      3,
      'expected a lexray-frontier folder',
    ],
  ])('refuses %s', async (_, args, code, message) => {
    const placed = args.map((arg) => (/^(documents|queries|data\/)/.test(arg) ? at(arg) : arg));
    const outcome = await runInProcess('prune', ...placed);
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) as string });
  });

  it('leaves an output that exists', async () => {
    await writeFile(at('taken'), '');
    const outcome = await runInProcess('prune', at('documents'), '-o', at('taken'), '--top-k', '3');
    expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('already exists') as string });
  });
});
