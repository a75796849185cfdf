/**
 * Writes safetensors files: the header is made from the list of tensors, then their data is asked for and written one
 * by one, so that no more than one tensor is in memory. The file appears under its name when it is whole.
 * Data begins at a multiple of 8 bytes, and so does every tensor whose predecessors have such a length.
 */
import { badInput, LexrayError, throwIfAborted } from '../util/errors.ts';
import { encodeBf16, encodeF16 } from '../util/half-float.ts';
import type { ProgressListener } from '../util/progress.ts';
import { writeFileAtomic } from '../util/write-atomic.ts';
import { quote } from './json-cursor.ts';
import { dtypeBits, type FloatDtype } from './safetensors-header.ts';

/** A tensor to be written. */
export interface WritableTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major elements, or a function that gives them when their turn comes. */
  readonly data: Float32Array | (() => Float32Array | Promise<Float32Array>);
  /** Type in the file; numbers are rounded to the nearest. @default 'F32' */
  readonly dtype?: FloatDtype | undefined;
}

/** Options of {@link writeSafetensors}. */
export interface WriteSafetensorsOptions {
  /** The `__metadata__` strings. @default { format: 'pt' } */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Replace an existing file. @default true */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/**
 * Writes a safetensors file.
 * @param tensors in file order; larger element types first keep every tensor aligned
 * @throws LexrayError BAD_INPUT when two tensors have one name, data does not fit its shape, or a number is not finite
 * or too large for its type
 */
export async function writeSafetensors(
  path: string,
  tensors: Iterable<WritableTensor>,
  options: WriteSafetensorsOptions = {},
): Promise<void> {
  const list = [...tensors];
  const header = encodeHeader(list, options.metadata ?? { format: 'pt' }, path);
  await writeFileAtomic(path, chunks(header, list, path, options), { force: options.force ?? true });
}

async function* chunks(
  header: Uint8Array,
  tensors: readonly WritableTensor[],
  path: string,
  { signal, onProgress }: WriteSafetensorsOptions,
): AsyncGenerator<Uint8Array> {
  yield header;
  let done = 0;
  for (const tensor of tensors) {
    throwIfAborted(signal);
    const data = typeof tensor.data === 'function' ? await tensor.data() : tensor.data;
    const expected = elementCount(tensor.shape);
    if (data.length !== expected) {
      throw badInput(
        `tensor ${quote(tensor.name)} has ${data.length} elements; shape [${tensor.shape.join(', ')}] needs ${expected}`,
        { where: path },
      );
    }
    yield encode(tensor, data, path);
    onProgress?.({ phase: 'write weights', done: ++done, total: tensors.length, unit: 'tensors' });
  }
}

function encode(tensor: WritableTensor, data: Float32Array, path: string): Uint8Array {
  const dtype = tensor.dtype ?? 'F32';
  const largest = dtype === 'F16' ? 65520 : dtype === 'BF16' ? 3.3961775292304601e38 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    if (!(Math.abs(data[i]!) < largest)) {
      throw badInput(
        `tensor ${quote(tensor.name)} has the value ${data[i]} at element ${i}, which ${dtype} cannot hold`,
        {
          where: path,
          cure: Number.isFinite(data[i]) ? 'write it as F32' : 'weights must be finite',
        },
      );
    }
  }
  const words = dtype === 'F16' ? encodeF16(data) : dtype === 'BF16' ? encodeBf16(data) : data;
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

function encodeHeader(
  tensors: readonly WritableTensor[],
  metadata: Readonly<Record<string, string>>,
  path: string,
): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  const names = new Set(['__metadata__']);
  let offset = 0;
  for (const { name, shape, dtype = 'F32' } of tensors) {
    if (names.has(name)) throw badInput(`two tensors have the name ${quote(name)}`, { where: path });
    names.add(name);
    const end = offset + (elementCount(shape) * dtypeBits[dtype]) / 8;
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const text = entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  const json = new TextEncoder().encode(`{${text}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

/** Elements of a tensor of this shape. */
function elementCount(shape: readonly number[]): number {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(count) || shape.some((size) => !Number.isInteger(size) || size < 0)) {
    throw new LexrayError('FAILED', `the shape [${shape.join(', ')}] is impossible`);
  }
  return count;
}
