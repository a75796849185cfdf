import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { memorySource } from '../byte-source.ts';
import { readZipDirectory } from './zip-directory.ts';

interface Options {
  readonly zip64?: boolean;
  readonly comment?: string;
  /** Changes the numbers of the first entry's central record or the end record before they are written. */
  readonly central?: Partial<Record<'flags' | 'method' | 'size' | 'stored' | 'offset' | 'nameLength', number>>;
  readonly end?: Partial<Record<'entries' | 'size' | 'offset', number>>;
  readonly localName?: string;
}

const numbers = (...values: readonly (readonly [value: number, bytes: 2 | 4 | 8])[]): Buffer =>
  Buffer.concat(
    values.map(([value, bytes]) => {
      const buffer = Buffer.alloc(bytes);
      if (bytes === 8) buffer.writeBigUInt64LE(BigInt(value));
      else buffer.writeUIntLE(value, 0, bytes);
      return buffer;
    }),
  );

/** A zip file as the format's description has it; with `zip64`, every number that can be wide is. */
function zip(files: readonly (readonly [name: string, content: string])[], options: Options = {}): Buffer {
  const { zip64 = false, comment = '', central = {}, end = {} } = options;
  const parts: Buffer[] = [];
  const records: Buffer[] = [];
  let position = 0;
  files.forEach(([name, content], i) => {
    const changed = i === 0 ? central : {};
    const { flags = 0, method = 0, size = content.length, stored = size, offset = position } = changed;
    const localName = Buffer.from(i === 0 ? (options.localName ?? name) : name);
    const local = Buffer.concat([
      numbers([0x04034b50, 4], [20, 2], [flags, 2], [method, 2], [0, 4], [0, 4], [size, 4], [size, 4]),
      numbers([localName.length, 2], [4, 2]),
      localName,
      numbers([0xcafe, 2], [0, 2]),
      Buffer.from(content),
    ]);
    const wide = zip64 ? [0xffffffff, 0xffffffff, 0xffffffff] : [stored, size, offset];
    const other = numbers([0xbeef, 2], [2, 2], [0, 2]);
    const extra = zip64 ? Buffer.concat([other, numbers([1, 2], [24, 2], [size, 8], [stored, 8], [offset, 8])]) : other;
    records.push(
      numbers([0x02014b50, 4], [20, 2], [20, 2], [flags, 2], [method, 2], [0, 4], [0, 4], [wide[0]!, 4], [wide[1]!, 4]),
      numbers([changed.nameLength ?? name.length, 2], [extra.length, 2], [0, 2], [0, 2], [0, 2], [0, 4], [wide[2]!, 4]),
      Buffer.from(name),
      extra,
    );
    parts.push(local);
    position += local.length;
  });
  const directory = Buffer.concat(records);
  const { entries = files.length, size = directory.length, offset = position } = end;
  const end64 = numbers(
    [0x06064b50, 4],
    [44, 8],
    [45, 2],
    [45, 2],
    [0, 4],
    [0, 4],
    [entries, 8],
    [entries, 8],
    [size, 8],
    [offset, 8],
  );
  const locator = numbers([0x07064b50, 4], [0, 4], [position + directory.length, 8], [1, 4]);
  const short = zip64 ? { entries: 0xffff, size: 0xffffffff, offset: 0xffffffff } : { entries, size, offset };
  const last = numbers(
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [short.entries, 2],
    [short.entries, 2],
    [short.size, 4],
    [short.offset, 4],
    [comment.length, 2],
  );
  return Buffer.concat([...parts, directory, ...(zip64 ? [end64, locator] : []), last, Buffer.from(comment)]);
}

const files = [
  ['a/x', 'hello'],
  ['a/empty', ''],
] as const;

async function contents(bytes: Uint8Array): Promise<Record<string, string>> {
  const source = memorySource(bytes, 'x.zip');
  const found: Record<string, string> = {};
  for (const { name, offset, size } of (await readZipDirectory(source)).values()) {
    const target = new Uint8Array(size);
    await source.read(target, offset);
    found[name] = new TextDecoder().decode(target);
  }
  return found;
}

describe('the zip directory', () => {
  it.each([
    ['plain', {}],
    ['with a comment', { comment: 'a comment' }],
    ['with zip64 fields', { zip64: true }],
    ['with zip64 fields and a comment', { zip64: true, comment: 'PK\u0005\u0006' }],
  ])('is read: %s', async (_title, options) => {
    expect(await contents(zip(files, options))).toEqual(Object.fromEntries(files));
  });

  it('tells which entries are compressed', async () => {
    const entries = await readZipDirectory(memorySource(zip(files, { central: { method: 8, size: 9999, stored: 5 } })));
    expect([...entries.values()].map(({ size, compressed }) => [size, compressed])).toEqual([
      [5, true],
      [0, false],
    ]);
  });

  it('of a file of PyTorch has its records', async () => {
    const path = fileURLToPath(new URL('../../../test/fixtures/goldens/torch-zip/plain.bin', import.meta.url));
    const found = await contents(readFileSync(path));
    expect(found).toMatchObject({ 'archive/version': '3\n', 'archive/byteorder': 'little' });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['an encrypted entry', zip(files, { central: { flags: 1 } }), /encrypted/],
    ['two sizes', zip(files, { central: { stored: 4 } }), /two different sizes/],
    ['an entry that is too long', zip(files, { central: { size: 5000 } }), /of 5000 bytes ends outside the file/],
    ['an entry over the next', zip(files, { central: { size: 20 } }), /"a\/empty" overlaps/],
    ['an entry elsewhere', zip(files, { central: { offset: 7 } }), /is not where the directory says/],
    ['an entry outside', zip(files, { central: { offset: 90_000 } }), /begins outside the file/],
    ['an entry twice', zip([files[0]!, files[0]!]), /"a\/x" occurs twice/],
    ['another name in its place', zip(files, { localName: 'a/y' }), /another name/],
    ['a longer name in its place', zip(files, { localName: 'a/xy' }), /is not where/],
    ['a name that is too long', zip(files, { central: { nameLength: 9999 } }), /record 0 .* is damaged/],
    ['too many entries', zip(files, { end: { entries: 3 } }), /record 2 .* is damaged|do not fit/],
    ['very many entries', zip(files, { end: { entries: 60_000 } }), /60000 entries do not fit/],
    ['a directory elsewhere', zip(files, { end: { offset: 3 } }), /is damaged/],
    ['a directory outside', zip(files, { end: { offset: 60_000 } }), /is outside the file/],
    ['a directory outside, by zip64', zip(files, { zip64: true, end: { offset: 2 ** 50 } }), /is outside the file/],
    ['a wrong zip64 record', zip(files, { zip64: true }).fill(0, 130, 240), /zip64|damaged/],
    ['bytes after its end', Buffer.concat([zip(files), Buffer.from('x')]), /no end record/],
    ['nothing before its end', zip(files).subarray(-22), /is outside the file/],
  ])('is refused with %s', async (_title, bytes, message) => {
    await expect(contents(bytes)).rejects.toThrow(message);
  });
});
