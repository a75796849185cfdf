/** `tokenizer` and `expand` as a user runs them, and the other verbs on an expanded model. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verbs } from '../../src/cli/registry.ts';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.ts';
import { expansionTexts } from '../fixtures/expanded-model.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { runInProcess } from './run-in-process.ts';
import { lexray, type Outcome, temporaryFolder, writeCollection } from './run-lexray.ts';

interface ExplainedText {
  readonly activeDims: number;
  readonly terms: readonly { readonly term: string; readonly weight: number }[];
}
interface Explained {
  readonly query: ExplainedText;
  readonly document: ExplainedText;
  readonly match: { readonly score: number };
}

let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);
beforeAll(async () => {
  folder = await temporaryFolder();
  await writeCollection(at('data'));
  await mkdir(at('texts'));
  // Two jamo that make no syllable stay apart whatever is asked for.
  const korean = ['세종대왕은 한글을 창제하였다 \u1140\u1140', '한글은 한국어의 글자이다', '희소 검색은 역색인을 쓴다'];
  await writeFile(at('texts', 'a.txt'), `${[...expansionTexts, 'École, RÉSUMÉ résumé'].join('\n')}\n`);
  await writeFile(at('texts', 'b.jsonl.gz'), gzipSync(korean.map((body) => JSON.stringify({ body })).join('\n')));
  const odd = [
    Buffer.from('rain\n\n'),
    Buffer.from('caf\xe9 bad\n', 'latin1'),
    Buffer.alloc(9 << 20, 'x '),
    Buffer.from('\nsnow\n'),
  ];
  await writeFile(at('odd.txt'), Buffer.concat(odd));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The result in a `--json` output, checked against the verb's own schema. */
function resultOf(verb: string, { code, stdout }: Outcome): Record<string, unknown> {
  expect(code).toBe(0);
  const { schema: _schema, verb: _verb, lexray: _lexray, ...data } = JSON.parse(stdout) as Record<string, unknown>;
  expect(verbs.find(({ name }) => name === verb)!.result.parse(data)).toEqual(data);
  return data;
}

describe('texts of which no line can be used', () => {
  it.each([
    ['tokenizer train', ['tokenizer', 'train', 'latin.txt', '-o', 't', '--size', '150']],
    ['expand', ['expand', tinyModel, '--texts', 'latin.txt', '-o', 'e', '--size', '10']],
  ])('are told by %s, with the lines and what is wrong', async (_verb, args) => {
    await writeFile(at('latin.txt'), Buffer.from('caf\xe9\n\ngar\xe7on\n', 'latin1'));
    const { code, stderr } = await lexray([...args, '-q'], { cwd: folder });
    expect(code).toBe(3);
    expect(stderr).toContain('none of the lines can be used: 2 lines are not UTF-8, left out: ');
    expect(stderr).toContain('latin.txt:1');
    expect(stderr).toContain('--invalid-utf8');
  });
});

describe('tokenizer train', () => {
  it('writes WordPiece', async () => {
    const outcome = await lexray(
      ['tokenizer', 'train', 'texts/*.txt', '-o', 'word piece', '--size', '150', '--json', '-q'],
      { cwd: folder },
    );
    expect(outcome.stderr).toBe('');
    expect(resultOf('tokenizer', outcome)).toMatchObject({
      output: 'word piece',
      type: 'wordpiece',
      stream: { files: 1, lines: 7, texts: 7, problems: [] },
      words: { occurrencesLeftOut: 0 },
    });
    const tokenizer = await loadTokenizer(at('word piece'));
    expect([...tokenizer.encode('Résumé ECOLE')]).toEqual([...tokenizer.encode('resume école')]);
    const manifest = JSON.parse(await readFile(at('word piece', 'manifest.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest).toMatchObject({ format: 'lexray-tokenizer', config: { size: 150 } });
    expect(Object.keys(manifest.parents as object)).toEqual(['texts/a.txt']);
  });

  it('keeps Hangul syllables whole where it is asked to, and warns where not', async () => {
    const train = (name: string, ...more: string[]): Promise<Outcome> =>
      runInProcess(
        'tokenizer',
        'train',
        at('texts', 'b.jsonl.gz'),
        '--field',
        'body',
        '-o',
        at(name),
        '--size=200',
        ...more,
      );
    const apart = await train('apart');
    expect(apart).toMatchObject({ code: 0, stderr: expect.stringContaining('takes Hangul syllables apart') });
    const whole = await train('whole', '--normalization', 'nfc');
    expect(whole).toMatchObject({ code: 0, stderr: '' });
    const tokenizer = await loadTokenizer(at('whole'));
    const pieces = Array.from(tokenizer.encode('한글', { addSpecialTokens: false }), (id) => tokenizer.token(id));
    expect(pieces).toEqual(['한글']);
  });

  it('writes byte-level BPE of both styles', async () => {
    for (const [style, frame] of [
      ['roberta', ['<s>', '</s>']],
      ['modernbert', ['[CLS]', '[SEP]']],
    ] as const) {
      const args = ['--type', 'byte-bpe', '--style', style, '--size', '320', '--field', 'body', '--json'];
      const outcome = await runInProcess('tokenizer', 'train', at('texts'), '-o', at(style), ...args);
      expect(resultOf('tokenizer', outcome)).toMatchObject({
        type: 'byte-bpe',
        size: 320,
        stream: { files: 2, texts: 10 },
      });
      const tokenizer = await loadTokenizer(at(style));
      const tokens = Array.from(tokenizer.encode('the 한글 house'), (id) => tokenizer.token(id));
      expect([tokens[0], tokens.at(-1)]).toEqual(frame);
    }
  });

  it('says what it could not read', async () => {
    const outcome = await runInProcess('tokenizer', 'train', at('odd.txt'), '-o', at('odd tokenizer'), '--size', '30');
    expect(outcome.code).toBe(0);
    expect(outcome.stderr).toContain(`1 line is without text, left out: ${at('odd.txt')}:2`);
    expect(outcome.stderr).toContain(`1 line is not UTF-8, left out: ${at('odd.txt')}:3`);
    expect(outcome.stderr).toContain(`1 line is too long, left out: ${at('odd.txt')}:4`);
  });

  it.each([
    [['tokenizer', 'learn', 'texts'], 2, /expected train/],
    [['tokenizer', 'train'], 2, /missing FILES/],
    [['tokenizer', 'train', 'nowhere.txt', '-o', 'x'], 3, /no file nowhere\.txt/],
    [
      ['tokenizer', 'train', 'texts/a.txt', '-o', 'x', '--style', 'roberta'],
      2,
      /WordPiece has the special tokens of BERT/,
    ],
    [['tokenizer', 'train', 'texts/a.txt', '-o', 'x', '--type', 'byte-bpe', '--size', '200'], 2, /at least 262/],
    [['tokenizer', 'train', 'texts/a.txt', '-o', 'texts'], 2, /already exists/],
    [['expand', tinyModel, '-o', 'x'], 2, /missing --texts/],
    [['expand', 'texts', '-o', 'x', '--texts', 'texts/a.txt'], 3, /config\.json/],
  ])('%j ends with %i', async (args, code, message) => {
    const outcome = await lexray([...args, '-q'], { cwd: folder });
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(outcome.stderr).toMatch(message);
  });
});

describe('expand', () => {
  it('writes a model with terms of its own, and reports on them', async () => {
    const args = ['expand', tinyModel, '--texts', 'texts/a.txt,odd.txt', '-o', 'expanded', '--min-frequency', '1'];
    const outcome = await lexray([...args, '--size', '30', '--max-words', '1000', '--json'], { cwd: folder });
    const result = resultOf('expand', outcome);
    expect(result).toMatchObject({
      terms: 30,
      stream: {
        files: 2,
        texts: 9,
        problems: [
          { problem: 'empty', lines: 1, first: ['odd.txt:2'] },
          { problem: 'invalidUtf8', lines: 1, first: ['odd.txt:3'] },
          { problem: 'tooLong', lines: 1, first: ['odd.txt:4'] },
        ],
      },
      unigrams: { withoutTerm: 0 },
    });
    const { coverage, outOfVocabulary } = result.unigrams as { coverage: number; outOfVocabulary: number };
    expect(coverage + outOfVocabulary).toBe(1);
    const vocabulary = JSON.parse(await readFile(at('expanded', 'output_vocabulary.json'), 'utf8')) as {
      unigrams: object;
      terms: string[];
      counts: number[];
    };
    // The tiny model's tokenizer strips accents, and so do the terms.
    expect(vocabulary.unigrams).toMatchObject({ normalization: 'NFKC', lowercase: true, stripAccents: true });
    expect(vocabulary.terms.slice(0, 2)).toEqual(['the', 'rain']);
    expect(vocabulary.terms).toContain('resume');
    const covered = vocabulary.counts.reduce((sum, count) => sum + count, 0);
    expect(covered / (result.unigrams as { occurrences: number }).occurrences).toBeCloseTo(coverage, 12);
    const leftovers = (await readdir(folder)).filter((name) => name.includes('counts') || name.includes('partial'));
    expect(leftovers).toEqual([]);
  });

  it('tells people too', async () => {
    const args = [
      'expand',
      tinyModel,
      '--texts',
      at('texts', 'a.txt'),
      '-o',
      at('told'),
      '--case',
      'keep',
      '--accents=keep',
    ];
    const outcome = await runInProcess(...args, '--normalization', 'nfc', '--init', 'weighted', '--bias', 'pooled');
    expect(outcome.code).toBe(0);
    expect(outcome.stdout).toMatch(/^\d+ terms for \d+\.\d\d % of \d+ unigrams/);
    expect(outcome.stdout).toContain('note: 100,000 were asked for; no more occur 2 times');
    const text = await readFile(at('told', 'README.md'), 'utf8');
    expect(text).toContain('rare ones weighing more');
    expect(text).not.toContain('from sentence_transformers import');
  });

  it('makes models that encode, index, search, evaluate and export', async () => {
    const run = (...args: string[]): Promise<Outcome> => lexray([...args, '--json', '-q'], { cwd: folder });
    await run('expand', tinyModel, '--texts', 'texts/a.txt', '-o', 'model', '--min-frequency', '1');
    const encoded = await run('encode', 'model', 'data/corpus.jsonl', '-o', 'documents', '--kind', 'document');
    const { terms } = JSON.parse(await readFile(at('model', 'output_vocabulary.json'), 'utf8')) as { terms: string[] };
    expect(resultOf('encode', encoded)).toMatchObject({ vectors: 6, dimensions: terms.length });
    const tokens = (await readFile(at('documents', 'tokens.jsonl'), 'utf8')).trim().split('\n');
    expect(tokens.map((token) => JSON.parse(token) as string)).toEqual(terms);
    const manifest = JSON.parse(await readFile(at('documents', 'manifest.json'), 'utf8')) as { parents: object };
    expect(Object.keys(manifest.parents)).toContain('model/output_vocabulary.json');
    expect(resultOf('index', await run('index', 'documents', '-o', 'index'))).toMatchObject({
      dimensions: terms.length,
    });
    const evaluation = resultOf('evaluate', await run('evaluate', 'model', '--data', 'data'));
    expect((evaluation.measures as Record<string, number>)['nDCG@10']).toBeGreaterThan(0.5);
    const texts = ['--query', 'rain', '--document', 'rain and the city'];
    const explained = resultOf(
      'explain',
      await run('explain', 'model', ...texts, '--top', '1000'),
    ) as unknown as Explained;
    expect(terms).toEqual(expect.arrayContaining(explained.query.terms.map(({ term }) => term)));
    expect(explained.query.activeDims).toBe(explained.query.terms.length);
    expect(explained.match.score).toBeCloseTo(
      explained.query.terms.reduce((sum, { term, weight }) => {
        return sum + weight * (explained.document.terms.find((other) => other.term === term)?.weight ?? 0);
      }, 0),
      6,
    );
    const exported = await run('export', 'model', '--to', 'onnx', '-o', 'onnx');
    expect(exported.code).toBe(0);
    expect(await readFile(at('onnx', 'output_vocabulary.json'), 'utf8')).toContain('"terms"');
  });
});
