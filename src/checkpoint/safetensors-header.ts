/**
 * The header of a safetensors file (https://github.com/huggingface/safetensors, format version 1):
 *
 *     u64 LE  n, the length of the header
 *     n bytes JSON: {"NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, …,
 *             "__metadata__": {"KEY": "string"}}, padded with spaces
 *     data    row-major, little-endian; offsets count from the first byte after the header
 *
 * The tensors must cover the data exactly: no overlap, no hole, nothing left over. Everything is checked before any
 * data is read, so a hostile header can waste at most its own size in memory.
 */
import { badInput, type LexrayError } from '../util/errors.ts';
import type { ByteSource } from './byte-source.ts';
import { JsonCursor, quote } from './json-cursor.ts';

/** Bits of one element of each element type that the format knows. */
export const dtypeBits = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  U16: 16,
  I16: 16,
  U32: 32,
  I32: 32,
  U64: 64,
  I64: 64,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F16: 16,
  BF16: 16,
  F32: 32,
  F64: 64,
  C64: 64,
} as const;

/** Element type of a stored tensor. */
export type Dtype = keyof typeof dtypeBits;

/** Element types that are read and written as numbers. */
export type FloatDtype = 'F32' | 'F16' | 'BF16';

/** Where and how a tensor is stored. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  /** Row-major dimensions; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Position of its first element in the file. */
  readonly byteOffset: number;
  /** Bytes of its elements; in a PyTorch file these need not follow each other. */
  readonly byteLength: number;
}

/** What a header says. */
export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The longest header that is read, as in the reference implementation: 100 MB. */
export const maxHeaderLength: number = 100_000_000;

const maxRank = 16;
const cure = 'the file is damaged or not a safetensors file: fetch or write it again';

/**
 * Reads and checks a header.
 * @throws LexrayError BAD_INPUT naming what is wrong, and the tensor if there is one
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsHeader> {
  const where = source.name;
  const wrong = (message: string): LexrayError => badInput(`${where}: ${message}`, { where, cure });
  if (source.size < 10) throw wrong(`expected a safetensors file, got ${source.size} bytes`);
  const prefix = new Uint8Array(9);
  await source.read(prefix, 0);
  const length = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (length > maxHeaderLength) throw wrong(`the header says it is ${length} bytes long; at most 100 MB are allowed`);
  if (length > source.size - 8) throw wrong(`the header says it is ${length} bytes long; the file has ${source.size}`);
  if (length < 2 || prefix[8] !== 0x7b) throw wrong('the header does not begin with {');
  const bytes = new Uint8Array(length);
  await source.read(bytes, 8);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrong('the header is not UTF-8');
  }
  const header = parseHeader(new JsonCursor(text, where), 8 + length);
  checkCoverage(header.tensors, 8 + length, source.size, wrong);
  return header;
}

function parseHeader(json: JsonCursor, dataStart: number): SafetensorsHeader {
  const tensors = new Map<string, TensorInfo>();
  const metadata = new Map<string, string>();
  json.object((name) => {
    if (name === '__metadata__') json.object((key) => metadata.set(key, json.string()));
    else tensors.set(name, parseTensor(json, name, dataStart));
  });
  json.end();
  return { tensors, metadata };
}

function parseTensor(json: JsonCursor, name: string, dataStart: number): TensorInfo {
  let dtype: string | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  const integers = (limit: number): number[] => {
    const values: number[] = [];
    json.list(limit, () => values.push(json.integer()));
    return values;
  };
  json.object((key) => {
    if (key === 'dtype') dtype = json.string();
    else if (key === 'shape') shape = integers(maxRank);
    else if (key === 'data_offsets') offsets = integers(2);
    else json.skip();
  });
  const tensor = `tensor ${quote(name)}`;
  if (dtype === undefined || shape === undefined || offsets === undefined) {
    return json.fail(`${tensor} needs dtype, shape and data_offsets`);
  }
  if (!isDtype(dtype)) return json.fail(`${tensor} has the unknown dtype ${quote(dtype)}`);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || begin < 0 || end < begin) {
    return json.fail(`${tensor} has the data_offsets [${offsets.join(', ')}]; expected 0 <= begin <= end`);
  }
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (size < 0 || !Number.isSafeInteger(elements)) {
      return json.fail(`${tensor} has the impossible shape [${shape.join(', ')}]`);
    }
  }
  const bits = elements * dtypeBits[dtype];
  if (bits !== (end - begin) * 8) {
    return json.fail(
      `${tensor} has ${end - begin} bytes of data; ${dtype} of shape [${shape.join(', ')}] needs ${Math.ceil(bits / 8)}`,
    );
  }
  return { name, dtype, shape, byteOffset: dataStart + begin, byteLength: end - begin };
}

function checkCoverage(
  tensors: ReadonlyMap<string, TensorInfo>,
  dataStart: number,
  size: number,
  wrong: (message: string) => LexrayError,
): void {
  const sorted = [...tensors.values()].sort((a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength);
  let at = dataStart;
  for (const { name, byteOffset, byteLength } of sorted) {
    if (byteOffset + byteLength > size) {
      throw wrong(
        `tensor ${quote(name)} ends at byte ${byteOffset + byteLength}; the file has ${size}: it is truncated`,
      );
    }
    if (byteOffset < at) throw wrong(`tensor ${quote(name)} overlaps the tensor before it by ${at - byteOffset} bytes`);
    if (byteOffset > at) throw wrong(`${byteOffset - at} bytes before tensor ${quote(name)} belong to no tensor`);
    at = byteOffset + byteLength;
  }
  if (at !== size) throw wrong(`${size - at} bytes at the end of the file belong to no tensor`);
}

function isDtype(dtype: string): dtype is Dtype {
  return Object.hasOwn(dtypeBits, dtype);
}
