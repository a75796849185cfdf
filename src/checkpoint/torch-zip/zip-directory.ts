/**
 * The directory of a zip file (APPNOTE 6.3), for reading entries that are stored without compression, as PyTorch does:
 *
 *     entries   local header (30 bytes, name, extra field), data, sometimes a data descriptor
 *     central directory   a record of each entry: name, sizes, position of its local header
 *     zip64 end record and its locator, where a number does not fit in 16 or 32 bits
 *     end record   number of entries, position and size of the directory, a comment up to the last byte
 *
 * Nothing is believed before it is checked: records lie inside the file, local and central names agree, no name occurs
 * twice, no two entries share a byte. Checksums are not checked: PyTorch may leave them out, and never reads them.
 */
import { badInput, type LexrayError } from '../../util/errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { quote } from '../json-cursor.ts';

/** Where the bytes of an entry are. */
export interface ZipEntry {
  readonly name: string;
  /** Position of its first byte in the file. */
  readonly offset: number;
  /** In the file. */
  readonly size: number;
  /** Its bytes are not the content itself. */
  readonly compressed: boolean;
}

const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
} as const;
const endLength = 22;
const locatorLength = 20;
const end64Length = 56;
const centralLength = 46;
const localLength = 30;
const maxCommentLength = 0xffff;
const maxDirectorySize = 16_000_000;
const encrypted = 0x2041;

interface Directory {
  readonly entries: number;
  readonly offset: number;
  readonly size: number;
}

interface CentralRecord {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly localOffset: number;
  readonly size: number;
  readonly compressed: boolean;
}

/**
 * Reads and checks the directory.
 * @returns every entry by name, in the order of the file
 * @throws LexrayError BAD_INPUT naming what is wrong
 */
export async function readZipDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const wrong = (message: string): LexrayError =>
    badInput(`${source.name}: ${message}`, {
      where: source.name,
      cure: 'the file is damaged or not a checkpoint of PyTorch: fetch or write it again',
    });
  const directory = await findDirectory(source, wrong);
  const bytes = new Uint8Array(directory.size);
  await source.read(bytes, directory.offset);
  const records = parseRecords(bytes, directory.entries, wrong);
  const entries = new Map<string, ZipEntry>();
  const local = new Uint8Array(localLength + 0xffff);
  let end = 0;
  records.sort((a, b) => a.localOffset - b.localOffset);
  for (const { name, nameBytes, localOffset, size, compressed } of records) {
    if (localOffset < end) throw wrong(`the entry ${quote(name)} overlaps the one before it`);
    const head = local.subarray(0, localLength + nameBytes.length);
    if (localOffset + head.length > directory.offset) throw wrong(`the entry ${quote(name)} begins outside the file`);
    await source.read(head, localOffset);
    const view = new DataView(head.buffer, 0, head.length);
    const nameLength = view.getUint16(26, true);
    if (view.getUint32(0, true) !== signatures.local || nameLength !== nameBytes.length) {
      throw wrong(`the entry ${quote(name)} is not where the directory says`);
    }
    if (!nameBytes.every((byte, i) => byte === head[localLength + i])) {
      throw wrong(`the entry ${quote(name)} has another name in the directory than in its place`);
    }
    const offset = localOffset + head.length + view.getUint16(28, true);
    end = offset + size;
    if (end > directory.offset) throw wrong(`the entry ${quote(name)} of ${size} bytes ends outside the file`);
    entries.set(name, { name, offset, size, compressed });
  }
  return entries;
}

async function findDirectory(source: ByteSource, wrong: (message: string) => LexrayError): Promise<Directory> {
  const tail = new Uint8Array(Math.min(source.size, endLength + maxCommentLength + locatorLength));
  const tailStart = source.size - tail.length;
  await source.read(tail, tailStart);
  const view = new DataView(tail.buffer);
  let at = tail.length - endLength;
  for (; at >= 0; at--) {
    if (view.getUint32(at, true) !== signatures.end) continue;
    if (at + endLength + view.getUint16(at + 20, true) === tail.length) break;
  }
  if (at < 0) throw wrong('expected a zip file, but it has no end record: it is truncated');
  let end = tailStart + at;
  let entries = view.getUint16(at + 10, true);
  let size = view.getUint32(at + 12, true);
  let offset = view.getUint32(at + 16, true);
  if (entries === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    if (at < locatorLength || view.getUint32(at - locatorLength, true) !== signatures.locator64) {
      throw wrong('the zip64 locator is missing');
    }
    const position = safeNumber(view, at - locatorLength + 8, wrong);
    if (position + end64Length > end) throw wrong('the zip64 end record is outside the file');
    const record = new Uint8Array(end64Length);
    await source.read(record, position);
    const view64 = new DataView(record.buffer);
    if (view64.getUint32(0, true) !== signatures.end64)
      throw wrong('the zip64 end record is not where its locator says');
    end = position;
    entries = safeNumber(view64, 32, wrong);
    size = safeNumber(view64, 40, wrong);
    offset = safeNumber(view64, 48, wrong);
  }
  if (offset + size > end) throw wrong(`the zip directory of ${size} bytes at byte ${offset} is outside the file`);
  if (size > maxDirectorySize) throw wrong(`the zip directory has ${size} bytes; at most 16 MB are read`);
  if (entries * centralLength > size) throw wrong(`${entries} entries do not fit in a zip directory of ${size} bytes`);
  return { entries, offset, size };
}

function parseRecords(bytes: Uint8Array, count: number, wrong: (message: string) => LexrayError): CentralRecord[] {
  const view = new DataView(bytes.buffer);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const names = new Set<string>();
  const records: CentralRecord[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + centralLength > bytes.length || view.getUint32(at, true) !== signatures.central) {
      throw wrong(`record ${i} of the zip directory is damaged`);
    }
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + centralLength + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) throw wrong(`record ${i} of the zip directory is damaged`);
    const nameBytes = bytes.subarray(at + centralLength, at + centralLength + nameLength);
    let name: string;
    try {
      name = decoder.decode(nameBytes);
    } catch {
      throw wrong(`the name of entry ${i} is not UTF-8`);
    }
    if (names.has(name)) throw wrong(`the entry ${quote(name)} occurs twice`);
    names.add(name);
    if ((flags & encrypted) !== 0) throw wrong(`the entry ${quote(name)} is encrypted`);
    const extra = new DataView(bytes.buffer, at + centralLength + nameLength, extraLength);
    const [size, stored, localOffset] = wideNumbers(
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
      extra,
      wrong,
    );
    if (method === 0 && size !== stored) throw wrong(`the entry ${quote(name)} has two different sizes`);
    records.push({ name, nameBytes, localOffset: localOffset!, size: stored!, compressed: method !== 0 });
    at = next;
  }
  return records;
}

/** Replaces numbers that stand for "see the zip64 extra field" by those in it, which has them in the same order. */
function wideNumbers(
  values: readonly number[],
  extra: DataView,
  wrong: (message: string) => LexrayError,
): readonly number[] {
  if (!values.includes(0xffffffff)) return values;
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    const end = next + extra.getUint16(at + 2, true);
    return values.map((value) => {
      if (value !== 0xffffffff) return value;
      if (next + 8 > Math.min(end, extra.byteLength)) throw wrong('a zip64 field is too short');
      next += 8;
      return safeNumber(extra, next - 8, wrong);
    });
  }
  throw wrong('a zip64 field is missing');
}

function safeNumber(view: DataView, at: number, wrong: (message: string) => LexrayError): number {
  const value = Number(view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw wrong(`a zip64 field has the impossible value ${value}`);
  return value;
}
