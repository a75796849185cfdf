/** Reads tensors from a safetensors file one at a time. */
import { badInput } from '../util/errors.ts';
import { type ByteSource, openFileSource } from './byte-source.ts';
import { quote } from './json-cursor.ts';
import { readFloats } from './read-floats.ts';
import { readSafetensorsHeader, type TensorInfo } from './safetensors-header.ts';
import type { ElementReader, TensorFile } from './tensor-file.ts';

/** An open safetensors file. */
export interface SafetensorsFile extends TensorFile {
  readonly source: ByteSource;
  /** The `__metadata__` strings; `format` is `pt` in files for PyTorch. */
  readonly metadata: ReadonlyMap<string, string>;
}

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
    const readerOf =
      ({ byteOffset }: TensorInfo): ElementReader =>
      (target, start) =>
        source.read(target, byteOffset + start);
    return {
      source,
      tensors,
      metadata,
      elements: async (name) => readerOf(find(name)),
      readTensor: async (name) => {
        const info = find(name);
        return readFloats(info, readerOf(info), source.name);
      },
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
