import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ShuffledText, type ShuffleTextsOptions, shuffleTexts } from './shuffle-texts.ts';

let folder: string;
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-'));
  files = [0, 1, 2].map((i) => join(folder, `${i}.txt`));
  for (const [i, path] of files.entries()) {
    await writeFile(path, Array.from({ length: 100 }, (_, line) => `file ${i} line ${line}\n`).join('\n'));
  }
});
afterAll(() => rm(folder, { recursive: true }));

async function read(options: Partial<ShuffleTextsOptions>): Promise<ShuffledText[]> {
  const texts: ShuffledText[] = [];
  for await (const text of shuffleTexts(files, { seed: 1, blockTexts: 70, ...options })) texts.push(text);
  return texts;
}
const lines = (texts: readonly ShuffledText[]): string[] => texts.map(({ text }) => text);

describe('shuffleTexts', () => {
  it('gives every text once, in an order of seed and epoch', async () => {
    const first = lines(await read({}));
    expect(new Set(first).size).toBe(300);
    expect(lines(await read({}))).toEqual(first);
    for (const other of [await read({ seed: 2 }), await read({ epoch: 1 }), await read({ blockTexts: 60 })]) {
      expect(lines(other)).not.toEqual(first);
      expect(lines(other).sort()).toEqual([...first].sort());
    }
  });

  it('mixes within a block', async () => {
    const block = lines(await read({ blockTexts: 300 }));
    const place = new Map(block.map((text, at) => [text, at]));
    let displaced = 0;
    for (let line = 0; line < 100; line++) displaced += Math.abs(place.get(`file 0 line ${line}`)! - line);
    expect(displaced / 100).toBeGreaterThan(50);
  });

  it('goes on after any text, in the middle of a block as well', async () => {
    for (const options of [{}, { shard: { count: 3, include: [0, 2] } }, { epoch: 4, blockCharacters: 300 }]) {
      const all = await read(options);
      for (let i = 0; i < all.length; i += 13) {
        expect(await read({ ...options, start: all[i]!.next })).toEqual(all.slice(i + 1));
      }
    }
  });
});
