import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../util/random.ts';
import { byteLines } from './byte-lines.ts';
import { findTextFiles } from './find-text-files.ts';
import { StreamReport } from './stream-report.ts';
import { type StreamedText, streamTexts, type TextStreamOptions } from './stream-texts.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray stream '));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, content);
  return path;
}

async function read(files: readonly string[], options: TextStreamOptions = {}): Promise<StreamedText[]> {
  const texts: StreamedText[] = [];
  for await (const text of streamTexts(files, options)) texts.push(text);
  return texts;
}

const textsOf = async (files: readonly string[], options?: TextStreamOptions): Promise<string[]> =>
  (await read(files, options)).map(({ text }) => text);

/** A frame of Zstandard with the bytes as raw blocks (RFC 8878). */
function rawZstd(content: Uint8Array): Uint8Array {
  const parts: number[][] = [[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]]; // a window of 2 MiB
  for (let at = 0; at < content.length || at === 0; at += 100) {
    const block = content.subarray(at, at + 100);
    const header = (block.length << 3) | (at + 100 >= content.length ? 1 : 0);
    parts.push([header & 255, (header >> 8) & 255, header >> 16], [...block]);
  }
  return Uint8Array.from(parts.flat());
}

describe('streamTexts', () => {
  const lines = ['first text', 'zweiter Text mit Umlauten: äöü', '세 번째 텍스트', 'last'];

  it('reads lines, tables and records, by the name of the file', async () => {
    const txt = await file('a.txt', lines.join('\n'));
    const tsv = await file('b.tsv', 'id1\tone\tx\nid2\ttwo\nthree\n');
    const jsonl = await file(
      'c.jsonl',
      '{"_id":1,"title":"T","text":"body"}\r\n{"text":"only"}\r\n"plain"\r\n{"title":null,"text":"t"}\r\n',
    );
    expect(await textsOf([txt, tsv, jsonl])).toEqual([...lines, 'one', 'two', 'three', 'T body', 'only', 'plain', 't']);
    expect(await textsOf([jsonl], { fields: ['_id', 'text'] })).toEqual(['body', 'only', 'plain', 't']);
    expect(await textsOf([tsv], { column: 1 })).toEqual(['id1', 'id2', 'three']);
    expect(await textsOf([jsonl], { format: 'txt' })).toHaveLength(4);
  });

  it('reads gzip and Zstandard, whatever they are called, members in a row too', async () => {
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    const gz = await file('a.txt.gz', Buffer.concat([gzipSync(bytes), gzipSync(bytes)]));
    const zst = await file('d', Buffer.concat([rawZstd(bytes), rawZstd(bytes)]));
    expect(await textsOf([gz])).toEqual([...lines, ...lines]);
    expect(await textsOf([zst])).toEqual([...lines, ...lines]);
  });

  it('reads what the zstd program writes', async () => {
    // Array.from({ length: 300 }, (_, i) => `line ${i} of ${(i * i) % 97} many`).join('\n') through zstd -19
    const stored =
      'KLUv/WTQFU0cANpPBAkWkCeFHFdEW1GX/X9kuVtWROKAjBODA5IAhgCIAJp4GPISZGQSYVj8kLaiU9hJLwkRZO7wWCaesRvhrf7Q8hyUpWDPw5' +
      '6YSoyOUYQbPCNmcVGEhHgp0xDpxY2J8q3Z0Tqq01D79AwlYdCUg59yIxvjjCgLDH8zCyHrPTamdy3nbwxtCgtykaO4aLbE0KCaUNKpkxikeT2v' +
      'mI6F1bOTBgQHCgAUGISBAAODMAhQMIBAVjgsWa0ZWo1Zm6xPsOSHghOSJORxyI7QtKGRodFCVogPoZhXl6lCpHJFiSqk1YVVzCpelUM1OjUONR' +
      'XKNuUJSipFihIVqE8zTZ5i6sRp0hSmSyNJlkKqRGmSFKQHTVCQgyKoQQwKUtBDUH/Ng1x+4+8tPrab+htefzQzlOk80phJZxxxMwecZ5wkLhg4' +
      '+dtntk22hreZ2GTdwtxmWwhtfdjYa/porWi+NUZoU7Ug1MhpcWlz0MSHbRA2GYRJB2HdICxMw7B6Ya/CzBAW+2XNdbnqS3GFXuLVXddlhSv2kT' +
      'mjV0a1R5oYsaOOI+lGE40WRuJF84jiIiItChKiqSIGRf5ErUR6ELG3+rFCiDUO/975TPli/qz43q/8tC/oU/j62WdmySzmmRmzt7OaM81m1KwL' +
      'M+llk5FNZKJlc8jilZGUBZlskowRZP69djxdPNZeH16IekMvPE8mbyZ4jce2iX0kJjsWjJjUmIcxe7GpYmOIjd55Ol66GHeX6ELasaOsC1F3CV' +
      '3MOX44CzcyNwY3LWczgjGoImBM/X4H0l5JSeMBEqAXLC8jHzw56sC+z7FWB+oanpLNflOLQJMBObDxp5juLYL82vdFOIMU56ZQzAgszIDdZzhF' +
      'QD9kfeUsg8Gc1QYxw8ETcLsPcF7dBP15diOqLKXFIoRAgPvdxRpd9jUeW875DS3WNkHkxHEfen++Iexr3bf1IlacG+o5KjGaIHb+lSqEashKbk' +
      'UWqeNeJ/RwHe2kWhNJW/Y5KjUNbUU7MOT0L9rOHLRigkPYU+3iYe/ZrbtUhRoiKd2BQNpsCxctpzSiiJnw/nDuzK2f333m3ZXu7m/3snYns3sL' +
      'O0euOPYqveWDkNDgNNiUw37BYRVmfWnD/5G3U2G9cfUTt5PTnymRmqfdZ4wZ3YuASxfNUI3/o+zYZe1IPWSm/twfrMI51Bf5HTRLM6gMLoMrGP' +
      'NXF5pNZ2ErNQyyVw==';
    const path = await file('long.txt.zst', Buffer.from(stored, 'base64'));
    expect(await textsOf([path])).toEqual(Array.from({ length: 300 }, (_, i) => `line ${i} of ${(i * i) % 97} many`));
  });

  it('counts lines that it cannot use, says where the first are, and goes on', async () => {
    const long = Buffer.alloc(300_000, 97);
    const latin1 = Buffer.from('caf\xe9 noir', 'latin1');
    const path = await file(
      'odd.txt',
      Buffer.concat([Buffer.from('\uFEFFone\n\n  \t\n'), latin1, Buffer.from('\ntwo\n'), long, Buffer.from('\nthree')]),
    );
    const json = await file('odd.jsonl', '{"text":"four"}\n{"text":\n[1]\n{"text":" "}\n{"body":"x"}\n');
    const report = new StreamReport();
    const texts = await textsOf([path, json], { maxLineBytes: 1 << 17, report });
    expect(texts).toEqual(['one', 'two', 'three', 'four']);
    const at = (name: string, ...numbers: number[]): unknown => numbers.map((line) => ({ file: name, line }));
    expect(report.problems).toEqual([
      { problem: 'empty', count: 3, first: [...(at(path, 2, 3) as object[]), { file: json, line: 4 }] },
      { problem: 'invalidUtf8', count: 1, first: at(path, 4) },
      { problem: 'tooLong', count: 1, first: at(path, 6) },
      { problem: 'malformed', count: 3, first: at(json, 2, 3, 5) },
    ]);
    expect(report).toMatchObject({ lines: 12, texts: 4 });
    expect(report.describe()[1]).toBe(`1 line is not UTF-8, left out: ${path}:4`);
    expect(await textsOf([path], { invalidUtf8: 'replace', maxLineBytes: 1 << 17 })).toContain('caf\uFFFD noir');
  });

  it('passes over a line of 50 MB without holding it', async () => {
    const path = await file(
      '50mb.txt',
      Buffer.concat([Buffer.from('before\n'), Buffer.alloc(50e6, 98), Buffer.from('\nafter\n')]),
    );
    const report = new StreamReport();
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const texts: string[] = [];
    for await (const { text } of streamTexts([path], {
      report,
      onProgress: () => {
        most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      },
    }))
      texts.push(text);
    expect(texts).toEqual(['before', 'after']);
    expect(report.problems).toMatchObject([{ problem: 'tooLong', count: 1, first: [{ line: 2 }] }]);
    expect(most).toBeLessThan(40e6);
  });

  it('goes on from the place after any text', async () => {
    const a = await file('p/a.txt', '\uFEFFone\r\n\r\ntwo\n\nthree');
    const b = await file('p/b.txt.gz', gzipSync('vier ä\nfünf\nsechs'));
    const all = await read([a, b]);
    expect(all).toHaveLength(6);
    for (const [i, { next }] of all.entries()) {
      expect(await read([a, b], { start: next })).toEqual(all.slice(i + 1));
    }
  });

  it('parts texts into shards by their content', async () => {
    const texts = Array.from({ length: 4000 }, (_, i) => `text ${i % 2000}`);
    const path = await file('shards.txt', texts.join('\n'));
    const shards = await Promise.all([0, 1, 2, 3].map((n) => textsOf([path], { shard: { count: 4, include: [n] } })));
    expect(shards.flat().sort()).toEqual([...texts].sort());
    const owner = new Map<string, number>();
    for (const [n, shard] of shards.entries()) {
      expect(Math.abs(shard.length - 1000)).toBeLessThan(120);
      for (const text of shard) expect(owner.set(text, owner.get(text) ?? n).get(text)).toBe(n);
    }
    const rest = await textsOf([path], { shard: { count: 4, include: [1, 2, 3] } });
    expect(rest).toHaveLength(4000 - shards[0]!.length);
  });

  it('refuses what is no text, a damaged file and a wrong field at once', async () => {
    const cut = gzipSync(Buffer.from(lines.join('\n').repeat(100))).subarray(0, 60);
    await expect(read([await file('cut.txt.gz', cut)])).rejects.toThrow(/gzip file is damaged/);
    await expect(read([await file('cut.zst', rawZstd(Buffer.from('some text')).subarray(0, 12))])).rejects.toThrow(
      /Zstandard file is damaged/,
    );
    const huge = Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0xa8, 1, 0, 0]);
    await expect(read([await file('huge.zst', huge)])).rejects.toThrow(/window/);
    await expect(read([await file('u16.txt', Buffer.from('\uFEFFabc', 'utf16le'))])).rejects.toThrow('UTF-16');
    const wrong = await file('wrong.jsonl', '{"body":"x"}\n'.repeat(150));
    await expect(read([wrong])).rejects.toThrow(/first 100 lines are all malformed.*title or text/);
    await expect(read([join(folder, 'none.txt')])).rejects.toMatchObject({ code: 'BAD_INPUT' });
    await expect(read([])).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('stops when told to, and closes files of readers that stop', async () => {
    const path = await file('many.txt', 'line\n'.repeat(100_000));
    const controller = new AbortController();
    const reading = async (): Promise<void> => {
      for await (const { line } of streamTexts([path], { signal: controller.signal })) {
        if (line === 10) controller.abort();
      }
    };
    await expect(reading()).rejects.toMatchObject({ code: 'INTERRUPTED' });
    for await (const { line } of streamTexts([path])) if (line === 3) break;
  });
});

describe('byteLines', () => {
  it('gives the same lines however the bytes are cut', async () => {
    const random = new Random(5);
    const content = Buffer.from('ein\nzwei\r\n\n한글 문장\n\r\nund\rmehr\n😀'.repeat(20));
    const expected = content
      .toString()
      .split('\n')
      .map((line) => line.replace(/\r$/, ''));
    for (let trial = 0; trial < 200; trial++) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < content.length; ) {
        const end = at + 1 + random.integer(trial % 40 === 0 ? content.length : 12);
        chunks.push(content.subarray(at, end));
        at = end;
      }
      const texts: (string | undefined)[] = [];
      let last = 0;
      async function* source(): AsyncGenerator<Uint8Array> {
        yield* chunks;
      }
      for await (const batch of byteLines(source(), { maxLineBytes: 1000, where: 'test' })) {
        for (const { text, next, valid } of batch) {
          texts.push(text);
          expect(valid).toBe(true);
          last = next;
        }
      }
      expect(texts).toEqual(expected);
      expect(last).toBe(content.length);
    }
  });
});

describe('findTextFiles', () => {
  it('takes files, folders and patterns', async () => {
    for (const name of ['x/1.txt', 'x/2.jsonl.gz', 'x/deep/3.tsv.zst', 'x/SOURCE.md', 'x/part-a.txt', 'x/part-b.txt']) {
      await file(name, 'text');
    }
    const find = async (...inputs: string[]): Promise<string[]> =>
      (await findTextFiles(inputs.map((input) => join(folder, input)))).map((path) => path.slice(folder.length + 1));
    expect(await find('x')).toEqual(['x/1.txt', 'x/2.jsonl.gz', 'x/deep/3.tsv.zst', 'x/part-a.txt', 'x/part-b.txt']);
    expect(await find('x/SOURCE.md', 'x/1.txt', 'x/*.txt')).toEqual([
      'x/SOURCE.md',
      'x/1.txt',
      'x/part-a.txt',
      'x/part-b.txt',
    ]);
    expect(await find('x/part-[ab].txt')).toHaveLength(2);
    expect(await find('x/{1,part-b}.txt')).toEqual(['x/1.txt', 'x/part-b.txt']);
    expect(await find('x/**/*.tsv.zst')).toEqual(['x/deep/3.tsv.zst']);
    expect(await find('**/?.txt')).toContain('x/1.txt');
    await expect(find('x/*.parquet')).rejects.toThrow('no text file');
    await expect(find('y')).rejects.toThrow('there is no file');
  });
});
