import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLines } from './lines.ts';
import { Random } from './random.ts';
import { readBytes } from './read-bytes.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lexray-bytes-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What `seq 1 400 | zstd -19` (1.5.7) writes. */
const zstandard = Buffer.from(
  'KLUv/WTUBHUTAEpdpAkLoMUNZNtkT1XvHgKWAJYAlgAbcIft2qbt2Zbt2O42t7cNtgPYBTaBPWAL2AF2wSbYAxuAHcIVpvCEJRzhhhleGIRDXTXVU0sddWvWq0Ed6KKJHlrooEuTHg3oMNdM88wyx9yZ82YwB7lkkkcWOeTKlCcDOcQVUzyxxBE3ZrwYxKFXpz5devR29nXQAy9OfLjw4OXk44CHXZv2bNmxu7m3wQ7X9CzHnS/jHef4xsF4ALwAJ8AHcAE8AC/gBHyAA8BD2BU2hT1hS9gRdsNm2AsbhB1qV22qPbWldtRubdZebVA70C7aRHtoC+2gXdqkPdqAdphds2n2zJbZMbuzOXuzwewgu2ST7JEtskN2ZVP2ZAPZIXbFptgTW2JH7MZm7MUGsUN3dVP3dEt3dLeb3esG3YG7uIl7uIU7uMtN7jEE+oAuoAfoBZ2gD3QAegi8AqfAJ3AJPAJv4Ax8gYPAQ/EqTsWnuBSP4i3O4isOigfiRZyID3EhHsRLnMRHHBAPw2s4DZ/hMjyGdziHbzgYHoSXcBI+wkV4CK9wCp9wIDwEr+AUfIJL8Aje4Ay+4CB4KK9yKp9yKY/ylrN85aA8kBc5kQ+5kAd5yUk+ckAexmucxmdcxiMDEIfQK3QKfUKX0CP0hs7QFzoIPVSv6lR9qkv1qN7qrL7qoHqgXtSJ+lAX6kG91El91AH1ML2m0/SZLtNjeqdz+qaD6UF6SSfpI12kh/RKp/RJB9JD9IpO0Se6RI/ojc7oiw6ih/Zqp/Zpl/Zobzvb1w7aA3uxE/uwC3uwl53sYwfsYb3WaX3WZT3Wu871rYP1AHqBHgA7oDgI',
  'base64',
);
const numbers = Array.from({ length: 400 }, (_, i) => `${i + 1}\n`).join('');

/** A frame of uncompressed blocks. */
function frame(blocks: readonly string[], { window }: { window?: number } = {}): Buffer {
  const bytes = [0x28, 0xb5, 0x2f, 0xfd, 0, window ?? 0];
  for (const [i, block] of blocks.entries()) {
    const header = (block.length << 3) | (i === blocks.length - 1 ? 1 : 0);
    bytes.push(header & 255, (header >> 8) & 255, header >> 16, ...Buffer.from(block));
  }
  return Buffer.from(bytes);
}
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9]);

function write(content: Uint8Array): string {
  const path = join(folder, 'file');
  writeFileSync(path, content);
  return path;
}

async function read(content: Uint8Array): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBytes(write(content))) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

describe('readBytes', () => {
  it.each<[string, Uint8Array, string]>([
    ['a plain file', Buffer.from('text'), 'text'],
    ['an empty file', Buffer.from(''), ''],
    ['gzip', gzipSync('text'), 'text'],
    ['gzip of several members', Buffer.concat([gzipSync('a'), gzipSync('b')]), 'ab'],
    ['Zstandard', zstandard, numbers],
    [
      'Zstandard of many frames',
      Buffer.concat(Array.from({ length: 5000 }, (_, i) => frame([`${i}`]))),
      String(Array.from({ length: 5000 }, (_, i) => i).join('')),
    ],
    [
      'frames that differ, with skippable ones before and between (pzstd)',
      Buffer.concat([skippable, zstandard, skippable, frame(['a', '', 'bc']), zstandard]),
      `${numbers}abc${numbers}`,
    ],
    ['an empty frame at the end', Buffer.concat([frame(['x']), frame([''])]), 'x'],
  ])('reads %s', async (_title, content, text) => {
    expect(await read(content)).toBe(text);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['gzip that ends early', gzipSync(numbers).subarray(0, 100), /gzip file is damaged: unexpected end of file/],
    ['Zstandard that ends early', zstandard.subarray(0, 400), /Zstandard file is damaged: unexpected EOF/],
    [
      'Zstandard that ends in a header',
      Buffer.concat([zstandard, zstandard.subarray(0, 5)]),
      /Zstandard file is damaged/,
    ],
    [
      'bytes behind the last frame',
      Buffer.concat([zstandard, Buffer.from('what is this')]),
      /begins with unknown bytes/,
    ],
    ['a reserved block', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 7, 0, 0]), /reserved type/],
    ['a window of 2 GiB', frame(['a'], { window: 21 << 3 }), /window of 2147483648 bytes, more than the 134217728/],
    [
      'content of 2^60 bytes as one segment',
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 16, 1, 0, 0]),
      /window of 1152921504606847000 bytes/,
    ],
  ])('refuses %s', async (_title, content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message) as string,
      where: join(folder, 'file'),
    });
  });

  it('says that a folder or a missing file cannot be read', async () => {
    for (const path of [folder, join(folder, 'none')]) {
      await expect(readBytes(path).next()).rejects.toMatchObject({ code: 'BAD_INPUT', where: path });
    }
  });

  it('ends with text or BAD_INPUT, whatever bytes are changed', async () => {
    const random = new Random(7);
    for (let i = 0; i < 200; i++) {
      const changed = Buffer.from(zstandard);
      for (let j = 0; j <= random.integer(3); j++) changed[random.integer(changed.length)] = random.integer(256);
      const outcome = await read(changed).catch((error: { code?: string }) => error.code);
      expect(typeof outcome === 'string').toBe(true);
    }
  });

  it('gives lines of any of them', async () => {
    for (const content of [Buffer.from(numbers), gzipSync(numbers), zstandard]) {
      const lines = [];
      for await (const { number, text } of readLines(write(content))) lines.push([number, text]);
      expect(lines).toEqual(Array.from({ length: 400 }, (_, i) => [i + 1, `${i + 1}`]));
    }
  });
});
