import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from './load-tokenizer.ts';
import { trainWordPiece } from './train-word-piece.ts';
import { copyTokenizerFiles, writeTokenizer } from './write-tokenizer.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'lexray-tokenizer-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const texts = ['Read the File, then write it.', 'readFile(path): Promise<Buffer>', '파일을 읽는다', 'ÉCOLE 0 1 2 10'];

describe('writeTokenizer', () => {
  for (const lowercase of [true, false]) {
    it(`writes a folder that gives the same ids from tokenizer.json and from vocab.txt, lowercase ${lowercase}`, async () => {
      const folder = join(root, `written-${lowercase}`);
      const json = trainWordPiece(texts, { vocabularySize: 120, minFrequency: 1, lowercase });
      await writeTokenizer(folder, json, { modelMaxLength: 40 });
      const tokenizer = await loadTokenizer(folder);
      expect(tokenizer.modelMaxLength).toBe(40);
      expect(tokenizer.specialTokens).toEqual({ pad: 0, unk: 1, cls: 2, sep: 3, mask: 4 });
      await rm(join(folder, 'tokenizer.json'));
      const plain = await loadTokenizer(folder);
      expect(plain.size).toBe(tokenizer.size);
      const ids = texts.map((text) => [...tokenizer.encode(text)]);
      expect(texts.map((text) => [...plain.encode(text)])).toEqual(ids);
      expect(ids.flat()).not.toContain(1);
      const config = JSON.parse(await readFile(join(folder, 'tokenizer_config.json'), 'utf8')) as object;
      expect(config).toMatchObject({
        tokenizer_class: 'BertTokenizer',
        do_lower_case: lowercase,
        mask_token: '[MASK]',
      });
    });
  }

  it('refuses tokenizers of another kind', async () => {
    const json = { ...trainWordPiece(texts, { vocabularySize: 120 }), pre_tokenizer: null };
    await expect(writeTokenizer(join(root, 'other'), json)).rejects.toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('copyTokenizerFiles', () => {
  it('copies what is there, byte for byte', async () => {
    const from = join(root, 'from');
    await writeTokenizer(from, trainWordPiece(texts, { vocabularySize: 120 }));
    await writeFile(join(from, 'config.json'), '{}');
    const copied = await copyTokenizerFiles(from, join(root, 'to'));
    expect(copied).toEqual(['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'vocab.txt']);
    expect(await readFile(join(root, 'to', 'tokenizer.json'))).toEqual(await readFile(join(from, 'tokenizer.json')));
  });
});
