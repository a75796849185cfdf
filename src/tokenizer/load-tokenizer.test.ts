import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bertTokenizerJson } from './bert-tokenizer-json.ts';
import { loadTokenizer } from './load-tokenizer.ts';
import type { Tokenizer } from './tokenizer.ts';

interface IdsGolden {
  readonly texts: readonly string[];
  readonly ids: readonly number[][];
  readonly plain: readonly number[][];
  readonly truncated: readonly { readonly maxLength: number; readonly ids: readonly number[][] }[];
}

const goldenFolder = new URL('../../test/golden/tokenizer/', import.meta.url);
const readGolden = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, goldenFolder), 'utf8')) as T;
const shared = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const tiny = join(shared, 'ckpt-splade-tiny');

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lexray-tokenizer-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

let folders = 0;
async function folder(files: Readonly<Record<string, unknown>>): Promise<string> {
  const path = join(root, String(folders++));
  await mkdir(path);
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return path;
}

function expectGolden(tokenizer: Tokenizer, golden: IdsGolden): void {
  golden.texts.forEach((text, i) => {
    expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(golden.ids[i]);
    expect([...tokenizer.encode(text, { addSpecialTokens: false })], JSON.stringify(text)).toEqual(golden.plain[i]);
  });
  for (const { maxLength, ids } of golden.truncated) {
    ids.forEach((expected, i) => {
      const text = golden.texts[i]!;
      expect([...tokenizer.encode(text, { maxLength })], `${maxLength} of ${JSON.stringify(text)}`).toEqual(expected);
    });
  }
}

describe('ids equal transformers, whole and truncated', () => {
  it('for a cased vocab.txt in many scripts', async () => {
    const trained = readGolden<readonly { name: string; vocabulary: readonly string[] }[]>('train.json');
    const golden = readGolden<IdsGolden & { readonly case: string }>('ids-cased.json');
    const vocabulary = trained.find(({ name }) => name === golden.case)!.vocabulary;
    const path = await folder({
      'vocab.txt': vocabulary.map((token) => `${token}\n`).join(''),
      'tokenizer_config.json': { do_lower_case: false },
    });
    expectGolden(await loadTokenizer(path), golden);
  });

  for (const name of ['bert-base-uncased', 'roberta-base']) {
    const path = join(shared, 'tokenizers', name);
    it.skipIf(!existsSync(path))(`for ${name} (needs ../shared/data/tokenizers)`, async () => {
      expectGolden(await loadTokenizer(path), readGolden<IdsGolden>(`ids-${name}.json`));
    });
  }

  it.skipIf(!existsSync(tiny))('for the tokenizer.json of ckpt-splade-tiny (needs ../shared/data)', async () => {
    const tokenizer = await loadTokenizer(tiny);
    expectGolden(tokenizer, readGolden<IdsGolden>('ids-bert-base-uncased.json'));
    const lines = readFileSync(join(tiny, 'golden_vectors.jsonl'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(48);
    for (const line of lines) {
      const { text, input_ids: ids } = JSON.parse(line) as { text: string; input_ids: number[] };
      expect([...tokenizer.encode(text, { maxLength: 256 })], text.slice(0, 80)).toEqual(ids);
    }
    expect(tokenizer.size).toBe(30_522);
    expect(tokenizer.specialTokens).toEqual({ pad: 0, unk: 100, cls: 101, sep: 102, mask: 103 });
    expect(tokenizer.modelMaxLength).toBe(512);
  });
});

const bert = bertTokenizerJson(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'b', '##c', 'é', 'e', 'A']);

describe('settings', () => {
  it('reads roles, limits and truncation side', async () => {
    const config = { model_max_length: 1e30, truncation_side: 'left', cls_token: { content: '[CLS]' } };
    const tokenizer = await loadTokenizer(await folder({ 'tokenizer.json': bert, 'tokenizer_config.json': config }));
    expect(tokenizer.modelMaxLength).toBeUndefined();
    expect(tokenizer.specialTokens).toEqual({ pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 });
    expect([...tokenizer.specialIds].sort()).toEqual([0, 1, 2, 3, 4]);
    expect([...tokenizer.encode('a a b a b', { maxLength: 4 })]).toEqual([2, 5, 6, 3]);
    expect(tokenizer.token(7)).toBe('##c');
    expect(tokenizer.id('##c')).toBe(7);
    expect(tokenizer.token(-1)).toBeUndefined();
    expect(tokenizer.token(11)).toBeUndefined();
    expect(tokenizer.id('constructor')).toBeUndefined();
  });

  it('lets the text settings of a BERT tokenizer_config.json override tokenizer.json, as transformers does', async () => {
    const config = { tokenizer_class: 'BertTokenizer', do_lower_case: false, strip_accents: false };
    const tokenizer = await loadTokenizer(await folder({ 'tokenizer.json': bert, 'tokenizer_config.json': config }));
    expect([...tokenizer.encode('A é', { addSpecialTokens: false })]).toEqual([10, 8]);
    const plain = await loadTokenizer(await folder({ 'tokenizer.json': bert }));
    expect([...plain.encode('A é', { addSpecialTokens: false })]).toEqual([5, 9]);
  });

  it('adds tokens that only tokenizer_config.json names', async () => {
    const config = { added_tokens_decoder: { 11: { content: '<doc>', special: true } } };
    const tokenizer = await loadTokenizer(await folder({ 'tokenizer.json': bert, 'tokenizer_config.json': config }));
    expect([...tokenizer.encode('a<doc>b')]).toEqual([2, 5, 11, 6, 3]);
    expect(tokenizer.size).toBe(12);
    expect(tokenizer.specialIds).toContain(11);
  });

  it('encodes batches, empty texts, lone surrogates and NUL', async () => {
    const tokenizer = await loadTokenizer(await folder({ 'tokenizer.json': bert }));
    const ids = tokenizer.encodeBatch(['', 'a\ud800c', '\u0000', 'ac']).map((row) => [...row]);
    expect(ids).toEqual([
      [2, 3],
      [2, 5, 7, 3],
      [2, 3],
      [2, 5, 7, 3],
    ]);
    expect([...tokenizer.encode('', { addSpecialTokens: false })]).toEqual([]);
  });

  it('refuses a maximum length without room for the special tokens', async () => {
    const tokenizer = await loadTokenizer(await folder({ 'tokenizer.json': bert }));
    expect([...tokenizer.encode('a b', { maxLength: 2 })]).toEqual([2, 3]);
    for (const maxLength of [1, 0, -5, 2.5, Number.NaN]) {
      expect(() => tokenizer.encode('a', { maxLength })).toThrow(expect.objectContaining({ code: 'USAGE' }));
    }
  });
});

describe('files from outside are refused with a clear error', () => {
  const model = bert.model;
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['no JSON', '{"model":', 'is not JSON'],
    ['a list', [], 'must be a JSON object'],
    ['no model', {}, 'model object'],
    ['another model type', { model: { type: 'WordLevel', vocab: { a: 0 } } }, 'not supported'],
    ['a model type that is no string', { model: { type: { a: 1 }, vocab: { a: 0 } } }, 'not supported'],
    ['no vocabulary', { model: { type: 'WordPiece' } }, 'vocabulary'],
    ['an empty vocabulary', { model: { type: 'WordPiece', vocab: {} } }, 'empty'],
    ['two tokens with one id', { model: { ...model, vocab: { '[UNK]': 0, a: 1, b: 1 } } }, 'same id 1'],
    ['a negative id', { model: { ...model, vocab: { '[UNK]': -1 } } }, 'id of "[UNK]" is -1'],
    ['a huge id', { model: { ...model, vocab: { '[UNK]': 0, a: 1e12 } } }, 'id of "a"'],
    ['a fractional id', { model: { ...model, vocab: { '[UNK]': 0, a: 0.5 } } }, 'id of "a"'],
    ['no unknown token', { model: { ...model, unk_token: '<unk>' } }, 'unknown token'],
    ['an added token with a huge id', { ...bert, added_tokens: [{ id: 2 ** 40, content: 'x' }] }, 'added token "x"'],
    ['an added token on a taken id', { ...bert, added_tokens: [{ id: 5, content: 'x' }] }, 'same id 5'],
    ['an added token that disagrees', { ...bert, added_tokens: [{ id: 50, content: 'a' }] }, 'vocabulary says 5'],
    ['an added token that is none', { ...bert, added_tokens: [null] }, 'added token'],
    ['an unknown normalizer', { ...bert, normalizer: { type: 'Magic' } }, 'Magic'],
    ['a normalizer that is no object', { ...bert, normalizer: 5 }, 'normalizer must be'],
    [
      'a post-processor with a missing token',
      { ...bert, post_processor: { type: 'BertProcessing', cls: ['<x>', 0], sep: ['<y>', 1] } },
      '<x>',
    ],
    [
      'a post-processor without the text',
      { ...bert, post_processor: { type: 'TemplateProcessing', single: [], pair: [] } },
      'once',
    ],
    ['a damaged post-processor', { ...bert, post_processor: { type: 'TemplateProcessing' } }, 'post-processor'],
    ['merges that are no pairs', { model: { type: 'BPE', vocab: { a: 0 }, merges: ['ab'] } }, 'merges'],
    ['a damaged Unigram vocabulary', { model: { type: 'Unigram', vocab: [['a', 'b']] } }, 'Unigram'],
    ['an absurd word length', { model: { ...model, max_input_chars_per_word: 1e30 } }, 'max_input_chars_per_word'],
    ['a deep nest', `${'['.repeat(200_000)}`, 'JSON'],
  ];
  for (const [name, content, message] of cases) {
    it(name, async () => {
      const path = await folder({ 'tokenizer.json': content });
      const error = await loadTokenizer(path).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({
        name: 'LexrayError',
        code: 'BAD_INPUT',
        message: expect.stringContaining(message),
      });
    });
  }

  it('a file of 100 MB, without reading it', async () => {
    const path = await folder({ 'tokenizer.json': '' });
    await truncate(join(path, 'tokenizer.json'), 100_000_000);
    await expect(loadTokenizer(path)).rejects.toThrow('100000000 bytes');
  });

  it('a folder without tokenizer, and one that does not exist', async () => {
    await expect(loadTokenizer(await folder({}))).rejects.toThrow('no tokenizer found');
    await expect(loadTokenizer(join(root, 'nowhere'))).rejects.toThrow('no tokenizer found');
  });

  it('vocab.txt without the special tokens', async () => {
    await expect(loadTokenizer(await folder({ 'vocab.txt': 'a\nb\n' }))).rejects.toThrow('[CLS]');
  });

  it('a damaged tokenizer_config.json', async () => {
    const path = await folder({ 'tokenizer.json': bert, 'tokenizer_config.json': '[' });
    await expect(loadTokenizer(path)).rejects.toThrow('tokenizer_config.json');
    const odd = { added_tokens_decoder: { x: { content: 'y' } }, model_max_length: 'many', cls_token: 5 };
    await expect(loadTokenizer(await folder({ 'tokenizer.json': bert, 'tokenizer_config.json': odd }))).rejects.toThrow(
      '"y"',
    );
  });

  it.skipIf(!existsSync(tiny))('a truncated tokenizer.json (needs ../shared/data)', async () => {
    const path = await folder({});
    await copyFile(join(tiny, 'tokenizer.json'), join(path, 'tokenizer.json'));
    await truncate(join(path, 'tokenizer.json'), 300_000);
    await expect(loadTokenizer(path)).rejects.toThrow('is not JSON');
  });
});
