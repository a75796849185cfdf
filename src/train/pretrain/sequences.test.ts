import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyModel } from '../../../test/fixtures/model-folders.ts';
import { loadTokenizer } from '../../tokenizer/load-tokenizer.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { Random } from '../../util/random.ts';
import { shardsOf } from './masked-batches.ts';
import { pieceUnits, wordUnits } from './masking-units.ts';
import { type MixedPosition, MixedTexts } from './mix-texts.ts';
import { type Sequence, type SequenceOptions, sequences } from './sequences.ts';

let folder = '';
const files: string[] = [];
let tokenizer: Tokenizer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray sequences '));
  tokenizer = await loadTokenizer(tinyModel);
  const random = new Random(1);
  const words = ['weather', 'rain', 'sunny', 'stone', 'houses', 'gardens'];
  for (const [i, lines] of [120, 40, 10, 1].entries()) {
    const path = join(folder, `${i}.txt`);
    const line = (n: number): string =>
      `file ${i} line ${n} ${Array.from({ length: 5 + random.integer(20) }, () => words[random.integer(6)]).join(' ')}`;
    await writeFile(path, Array.from({ length: lines }, (_, n) => `${line(n)}\n`).join(''));
    files.push(path);
  }
});
afterAll(() => rm(folder, { recursive: true }));

const mixed = async (options: { start?: MixedPosition; seed?: number; epoch?: number } = {}) => {
  const stream = new MixedTexts(files, { seed: 1, epoch: 0, openFiles: 2, ...options });
  const found: { text: string; next: MixedPosition }[] = [];
  for (let text = await stream.next(); text !== undefined; text = await stream.next()) {
    found.push({ text, next: stream.position });
  }
  await stream.close();
  return found;
};

describe('MixedTexts', () => {
  it('gives every text once, in an order of seed and epoch', async () => {
    const texts = async (options?: Parameters<typeof mixed>[0]): Promise<string[]> =>
      (await mixed(options)).map(({ text }) => text);
    const first = await texts();
    expect(new Set(first).size).toBe(171);
    expect(await texts()).toEqual(first);
    for (const other of [await texts({ seed: 2 }), await texts({ epoch: 1 })]) {
      expect(other).not.toEqual(first);
      expect(other.sort()).toEqual([...first].sort());
    }
  });

  it('spreads the texts of two open files over each other', async () => {
    const pair = files.slice(0, 2);
    const stream = new MixedTexts(pair, { seed: 1, epoch: 0 });
    const order: string[] = [];
    for (let text = await stream.next(); text !== undefined; text = await stream.next()) order.push(text.slice(0, 6));
    // A quarter of the texts are of the second file: in the first half as in the second.
    const early = order.slice(0, 80).filter((name) => name === 'file 1').length;
    expect(early).toBeGreaterThan(15);
    expect(early).toBeLessThan(25);
  });

  it('goes on after any text', async () => {
    const all = await mixed();
    for (const i of [0, 1, 30, 100, 160, 170]) {
      const rest = await mixed({ start: all[i]!.next });
      expect(rest.map(({ text }) => text)).toEqual(all.slice(i + 1).map(({ text }) => text));
    }
  });
});

async function read(more: Partial<SequenceOptions> = {}, most = Number.POSITIVE_INFINITY): Promise<Sequence[]> {
  const found: Sequence[] = [];
  const options = { tokenizer, units: pieceUnits(tokenizer), length: 16, seed: 5, passes: 1 };
  for await (const one of sequences(files, { arrangement: 'pack', ...options, ...more })) {
    if (found.push(one) === most) break;
  }
  return found;
}

const text = ({ ids }: Sequence): string => ids.join(' ');
const inner = (found: readonly Sequence[]): number[] => found.flatMap(({ ids }) => [...ids.subarray(1, -1)]);
const { cls, sep } = { cls: 2, sep: 3 };

describe('sequences', () => {
  it('have the special tokens around them and are as long as they can be', async () => {
    expect([tokenizer.specialTokens.cls, tokenizer.specialTokens.sep]).toEqual([cls, sep]);
    const packed = await read();
    for (const { ids, units, labels } of packed) {
      expect([ids[0], ids.at(-1)]).toEqual([cls, sep]);
      expect([units[0], units.at(-1), labels[0], labels.at(-1)]).toEqual([-1, -1, -1, -1]);
      for (const [i, label] of labels.entries()) if (label >= 0) expect(label).toBe(ids[i]);
    }
    expect(packed.filter(({ ids }) => ids.length !== 16)).toHaveLength(1);
    const cut = await read({ arrangement: 'cut' });
    expect(cut.length).toBeGreaterThan(packed.length);
    expect(cut.some(({ ids }) => ids.length < 16)).toBe(true);
    expect(cut.every(({ ids }) => !ids.subarray(1, -1).includes(sep))).toBe(true);
  });

  it('hold the texts whole, each once', async () => {
    const all = (await mixed()).flatMap(({ text: line }) => [...tokenizer.encode(line, { addSpecialTokens: false })]);
    const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);
    // Packing puts separators between texts, and leaves out a remainder of three tokens at most.
    const packed = inner(await read()).filter((id) => id !== sep);
    expect(all.length - packed.length).toBeLessThan(4);
    const cut = inner(await read({ arrangement: 'cut', length: 64 }));
    expect(sorted(cut)).toEqual(sorted(all));
  });

  it('are not masked where a word is cut', async () => {
    const found = await read({ units: wordUnits(tokenizer), length: 9 });
    const rows = found.map(({ units }) => units);
    expect(rows.some((units) => units.at(-2) === -1)).toBe(true);
    const sizes = new Map<number, number>();
    for (const units of rows) {
      const counts = new Map<number, number>();
      for (const unit of units) if (unit >= 0) counts.set(unit, (counts.get(unit) ?? 0) + 1);
      // No unit is in two sequences.
      for (const [unit, count] of counts) {
        expect(sizes.has(unit)).toBe(false);
        sizes.set(unit, count);
      }
    }
  });

  it('go on after any of them, pass after pass', async () => {
    for (const options of [{ passes: 2 }, { passes: 3, uniqueTokens: 500 }]) {
      const all = await read(options);
      for (let i = 0; i < all.length; i += 29) {
        const rest = await read({ ...options, start: all[i]!.next });
        expect(rest).toEqual(all.slice(i + 1));
      }
    }
  });

  it('repeat the same texts in another order with other seeds', async () => {
    const all = await read({ passes: 4, uniqueTokens: 600 });
    const passes = [0, 1, 2, 3].map((pass) => all.filter(({ next }) => next.pass === pass));
    const [first] = passes as [Sequence[], ...Sequence[][]];
    const tokens = first.reduce((sum, { ids }) => sum + ids.length, 0);
    expect(tokens).toBeGreaterThanOrEqual(600);
    expect(tokens).toBeLessThan(616);
    for (const pass of passes.slice(1)) {
      expect(pass.map(text).sort()).toEqual(first.map(text).sort());
      expect(pass.map(text)).not.toEqual(first.map(text));
    }
    expect(new Set(all.map(({ seed }) => seed)).size).toBe(all.length);
    // Without a limit each pass is an order of its own too, of all texts.
    const plain = await read({ passes: 2, arrangement: 'cut' });
    const half = plain.length / 2;
    expect(plain.slice(half).map(text).sort()).toEqual(plain.slice(0, half).map(text).sort());
  });

  it('are of training or held out, by text', async () => {
    const shards = shardsOf(0.2, 3);
    const parts = await Promise.all(
      [shards.train, shards.heldOut].map((shard) => read({ arrangement: 'cut', length: 64, shard })),
    );
    const [train, heldOut] = parts.map((part) => part.map(text)) as [string[], string[]];
    expect(heldOut.length).toBeGreaterThan(10);
    expect(heldOut.length).toBeLessThan(train.length / 2);
    expect(train.filter((one) => heldOut.includes(one))).toEqual([]);
    const other = await read({ arrangement: 'cut', length: 64, shard: shardsOf(0.2, 4).heldOut });
    expect(other.map(text).sort()).not.toEqual(heldOut.sort());
  });

  it('need room, and texts', async () => {
    await expect(read({ length: 5 })).rejects.toThrow('no room');
    await expect(read({ uniqueTokens: 100_000 })).rejects.toThrow('100000 different ones');
  });
});
