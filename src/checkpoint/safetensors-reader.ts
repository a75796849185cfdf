/**
 * Reads tensors from a safetensors file one at a time, as binary32, whatever float type they are stored in.
 * The element bytes are little-endian, as the memory of every platform that onnxruntime runs on.
 */
import { badInput } from '../util/errors.ts';
import { type ByteSource, openFileSource } from './byte-source.ts';
import { decodeBf16, decodeF16 } from './half-float.ts';
import { quote } from './json-cursor.ts';
import { readSafetensorsHeader, type TensorInfo } from './safetensors-header.ts';

/** An open safetensors file. */
export interface SafetensorsFile {
  readonly source: ByteSource;
  /** Every tensor of the file by name, in header order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The `__metadata__` strings; `format` is `pt` in files for PyTorch. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * Reads a tensor stored as F32, F16 or BF16.
   * @returns its elements, row-major, in a buffer of their own
   * @throws LexrayError BAD_INPUT when there is no such tensor, its type is no float type above, or a value is NaN or infinite
   */
  readTensor(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Elements converted at a time. */
const chunkLength = 1 << 20;

/**
 * Opens a safetensors file and checks its header.
 * @param from a path, or a source, which is closed with the file and when opening fails
 * @throws LexrayError BAD_INPUT when the file is missing, damaged or not safetensors
 */
export async function openSafetensors(from: string | ByteSource): Promise<SafetensorsFile> {
  const source = typeof from === 'string' ? await openFileSource(from) : from;
  try {
    const { tensors, metadata } = await readSafetensorsHeader(source);
    const find = (name: string): TensorInfo => {
      const info = tensors.get(name);
      if (info === undefined) {
        throw badInput(`there is no tensor ${quote(name)} in ${source.name}`, { where: source.name });
      }
      return info;
    };
    return {
      source,
      tensors,
      metadata,
      readTensor: async (name) => readFloats(source, find(name)),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readFloats(source: ByteSource, info: TensorInfo): Promise<Float32Array> {
  const length = info.shape.reduce((product, size) => product * size, 1);
  const where = `${source.name}: ${quote(info.name)}`;
  if (info.dtype !== 'F32' && info.dtype !== 'F16' && info.dtype !== 'BF16') {
    throw badInput(`tensor ${where} has dtype ${info.dtype}; F32, F16 and BF16 are read as numbers`, {
      where: source.name,
      cure: 'save the model again in one of these types',
    });
  }
  let values: Float32Array;
  try {
    values = new Float32Array(length);
  } catch (cause) {
    throw badInput(`tensor ${where} of shape [${info.shape.join(', ')}] does not fit in memory`, {
      where: source.name,
      cause,
    });
  }
  if (info.dtype === 'F32') {
    await source.read(new Uint8Array(values.buffer), info.byteOffset);
  } else {
    const decode = info.dtype === 'F16' ? decodeF16 : decodeBf16;
    const words = new Uint16Array(Math.min(length, chunkLength));
    for (let start = 0; start < length; start += chunkLength) {
      const part = words.subarray(0, Math.min(chunkLength, length - start));
      await source.read(new Uint8Array(part.buffer, 0, part.byteLength), info.byteOffset + 2 * start);
      decode(part, values.subarray(start, start + part.length));
    }
  }
  const bad = findNonFinite(values);
  if (bad !== -1) {
    throw badInput(`tensor ${where} has the value ${values[bad]} at element ${bad}`, {
      where: source.name,
      cure: 'weights must be finite: the training that made them failed, or the file is damaged',
    });
  }
  return values;
}

/** The place of the first NaN or infinite value, or -1. */
function findNonFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value - value !== 0) return i;
  }
  return -1;
}
