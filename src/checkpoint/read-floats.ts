/** Elements of a stored tensor as binary32, whatever float type they are stored in; none may be NaN or infinite. */
import { badInput } from '../util/errors.ts';
import { decodeBf16, decodeF16 } from '../util/half-float.ts';
import { quote } from './json-cursor.ts';
import type { TensorInfo } from './safetensors-header.ts';
import type { ElementReader } from './tensor-file.ts';

/** Elements converted at a time. */
const chunkLength = 1 << 20;

/** Elements that follow each other in row-major order. */
export interface ElementRange {
  /** The first. */
  readonly start: number;
  readonly length: number;
}

/**
 * Reads a tensor stored as F32, F16 or BF16, or a range of it. Little-endian bytes are taken as they are: so is the memory
 * of every platform that onnxruntime runs on.
 * @param read gives the tensor's bytes
 * @param file named in messages
 * @param range elements to read @default all
 * @throws LexrayError BAD_INPUT when the type is none of these, a value is not finite, or memory does not suffice
 */
export async function readFloats(
  info: TensorInfo,
  read: ElementReader,
  file: string,
  range?: ElementRange,
): Promise<Float32Array> {
  const first = range?.start ?? 0;
  const length = range?.length ?? info.shape.reduce((product, size) => product * size, 1);
  const where = `${file}: ${quote(info.name)}`;
  if (info.dtype !== 'F32' && info.dtype !== 'F16' && info.dtype !== 'BF16') {
    throw badInput(`tensor ${where} has dtype ${info.dtype}; F32, F16 and BF16 are read as numbers`, {
      where: file,
      cure: 'save the model again in one of these types',
    });
  }
  let values: Float32Array;
  try {
    values = new Float32Array(length);
  } catch (cause) {
    throw badInput(`tensor ${where} of shape [${info.shape.join(', ')}] does not fit in memory`, {
      where: file,
      cause,
    });
  }
  if (info.dtype === 'F32') {
    await read(new Uint8Array(values.buffer), 4 * first);
  } else {
    const decode = info.dtype === 'F16' ? decodeF16 : decodeBf16;
    const words = new Uint16Array(Math.min(length, chunkLength));
    for (let start = 0; start < length; start += chunkLength) {
      const part = words.subarray(0, Math.min(chunkLength, length - start));
      await read(new Uint8Array(part.buffer, 0, part.byteLength), 2 * (first + start));
      decode(part, values.subarray(start, start + part.length));
    }
  }
  const bad = findNonFinite(values);
  if (bad !== -1) {
    throw badInput(`tensor ${where} has the value ${values[bad]} at element ${first + bad}`, {
      where: file,
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
