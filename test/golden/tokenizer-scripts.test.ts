/**
 * Token ids equal Hugging Face's on 10,000 texts in 16 languages of 12 scripts (`scripts/golden/tokenizer_scripts.py`). The
 * texts are built here from words, as there; of the ids there is a digest of every 100 texts.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { type TrainTokenizerOptions, trainTokenizer } from '../../src/tokenizer/train-tokenizer.ts';
import { writeTokenizerFolder } from '../../src/tokenizer/write-tokenizer.ts';

interface Golden {
  readonly count: number;
  readonly separators: readonly string[];
  readonly odd: readonly string[];
  /** Of each language. */
  readonly words: readonly (readonly string[])[];
  /** Of each tokenizer, by the name that the script prints. */
  readonly digests: Readonly<Record<string, readonly string[]>>;
}

const golden = JSON.parse(readFileSync(new URL('tokenizer/scripts.json', import.meta.url), 'utf8')) as Golden;
const published = fileURLToPath(new URL('../../../shared/data/tokenizers/', import.meta.url));

/** The text of a number: words of one language and some of another, and odd things between them. */
function built(at: number): string {
  let state = Math.imul(at + 1, 2654435761) >>> 0;
  const pick = (count: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % count;
  };
  const pickOf = <T>(list: readonly T[]): T => list[pick(list.length)]!;
  const own = golden.words[at % golden.words.length]!;
  const other = pickOf(golden.words);
  let text = '';
  for (let parts = 3 + pick(16); parts > 0; parts--) {
    if (pick(12) === 0) text += pickOf(golden.odd);
    text += pickOf(pick(5) === 0 ? other : own);
    text += pickOf(golden.separators);
  }
  return text;
}

const texts = Array.from({ length: golden.count }, (_, at) => built(at));

function digestsOf(tokenizer: Tokenizer): string[] {
  const rows = texts.map((text) => tokenizer.encode(text).join(','));
  return Array.from({ length: golden.count / 100 }, (_, block) =>
    createHash('sha256')
      .update(rows.slice(100 * block, 100 * block + 100).join(';'))
      .digest('hex')
      .slice(0, 16),
  );
}

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-scripts-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

// Seconds of work, on a machine with nothing else to do.
describe('ids of 10,000 texts in many scripts equal those of Hugging Face', { timeout: 600_000 }, () => {
  const kinds: Readonly<Record<string, Omit<TrainTokenizerOptions, 'vocabularySize'>>> = {
    'wordpiece-uncased': { type: 'wordpiece' },
    'wordpiece-cased': { type: 'wordpiece', lowercase: false, normalization: 'nfc' },
    'byte-bpe-roberta': { type: 'byte-bpe' },
    'byte-bpe-modernbert': { type: 'byte-bpe', style: 'modernbert', normalization: 'nfc' },
  };
  it.each(Object.entries(kinds))('for a trained tokenizer, %s', async (name, options) => {
    const { json } = await trainTokenizer(texts, { ...options, vocabularySize: 6000 });
    await writeTokenizerFolder(join(folder, name), json, { config: {}, parents: {} });
    const tokenizer = await loadTokenizer(join(folder, name));
    expect(digestsOf(tokenizer)).toEqual(golden.digests[`trained ${name}`]);
  });

  const there = existsSync(published);
  it.skipIf(!there)(
    `for published vocabularies${there ? '' : ' (skipped: no ../shared/data/tokenizers)'}`,
    async () => {
      const uncased = join(published, 'bert-base-uncased');
      const cased = join(folder, 'cased');
      await mkdir(cased);
      await copyFile(join(uncased, 'vocab.txt'), join(cased, 'vocab.txt'));
      await writeFile(
        join(cased, 'tokenizer_config.json'),
        JSON.stringify({ do_lower_case: false, tokenizer_class: 'BertTokenizer' }),
      );
      const folders = {
        'bert-base-uncased': uncased,
        'bert-base-uncased, read as cased': cased,
        'roberta-base': join(published, 'roberta-base'),
      };
      for (const [name, path] of Object.entries(folders)) {
        expect(digestsOf(await loadTokenizer(path)), name).toEqual(golden.digests[name]);
      }
    },
  );
});
