/**
 * The weights of a model folder as one set of tensors, whatever files they are in:
 *
 *     model.safetensors
 *     model.safetensors.index.json    shards: {"metadata": {"total_size": n}, "weight_map": {"TENSOR": "model-00001-of-00002.safetensors"}}
 *     pytorch_model.bin
 *     pytorch_model.bin.index.json    shards that end in .bin
 *
 * The first that is there is used. Shard names are plain file names; the index and the shards must agree tensor by tensor.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../util/errors.ts';
import { openFileSource } from './byte-source.ts';
import { JsonCursor, quote } from './json-cursor.ts';
import { readFloats } from './read-floats.ts';
import type { TensorInfo } from './safetensors-header.ts';
import { openSafetensors } from './safetensors-reader.ts';
import type { TensorFile } from './tensor-file.ts';
import { openTorchFile } from './torch-zip/torch-file.ts';

/** The tensors of one or several files. */
export interface TensorFiles extends Pick<TensorFile, 'tensors' | 'readTensor' | 'close'> {
  /** The files, in name order. */
  readonly paths: readonly string[];
  /**
   * The elements of a tensor in blocks, one in memory at a time.
   * @param length elements of a block; the last may have fewer
   */
  readBlocks(name: string, length: number): AsyncGenerator<Float32Array>;
  /** Whether two tensors have the same type and the same bytes; reads no more than needed. */
  sameBytes(a: string, b: string): Promise<boolean>;
}

/** A kind of weight file. */
interface WeightFormat {
  readonly single: string;
  readonly index: string;
  readonly extension: string;
  open(path: string): Promise<TensorFile>;
}

/** In the order of preference. */
const formats: readonly WeightFormat[] = [
  {
    single: 'model.safetensors',
    index: 'model.safetensors.index.json',
    extension: '.safetensors',
    open: openSafetensors,
  },
  {
    single: 'pytorch_model.bin',
    index: 'pytorch_model.bin.index.json',
    extension: '.bin',
    open: openTorchFile,
  },
];
const maxIndexSize = 100_000_000;
const maxShards = 1024;
/** Bytes compared at a time: whole elements of every type. */
const chunkLength = 1 << 20;

/**
 * Opens the weights in a folder.
 * @throws LexrayError BAD_INPUT when there are none, or a file is damaged, or index and shards disagree
 */
export async function openTensorFiles(folder: string): Promise<TensorFiles> {
  for (const format of formats) {
    const single = join(folder, format.single);
    if (existsSync(single)) return gather([[single, await format.open(single)]]);
    const index = join(folder, format.index);
    if (existsSync(index)) return openShards(folder, index, format);
  }
  throw noWeights(folder);
}

async function openShards(folder: string, index: string, format: WeightFormat): Promise<TensorFiles> {
  const shardOf = await readIndex(index, format.extension);
  const names = [...new Set(shardOf.values())].sort();
  if (names.length > maxShards) throw badInput(`${index} lists more than ${maxShards} shards`, { where: index });
  const files: [string, TensorFile][] = [];
  try {
    for (const name of names) {
      const path = join(folder, name);
      const file = await format.open(path);
      files.push([path, file]);
      for (const tensor of file.tensors.keys()) {
        const listed = shardOf.get(tensor);
        if (listed !== name) {
          const place = listed === undefined ? 'lists it nowhere' : `says it is in ${quote(listed)}`;
          throw badInput(`${path} has the tensor ${quote(tensor)}, but the index ${place}`, {
            where: index,
            cure: 'fetch the index and the shards again, all of one version',
          });
        }
      }
    }
    const all = gather(files);
    const lost = [...shardOf].find(([tensor]) => !all.tensors.has(tensor));
    if (lost !== undefined) {
      throw badInput(`${index} says that ${quote(lost[1])} has the tensor ${quote(lost[0])}, which it has not`, {
        where: index,
        cure: 'fetch the index and the shards again, all of one version',
      });
    }
    return all;
  } catch (error) {
    for (const [, file] of files) await file.close();
    throw error;
  }
}

async function readIndex(path: string, extension: string): Promise<Map<string, string>> {
  const source = await openFileSource(path);
  let text: string;
  try {
    if (source.size > maxIndexSize) {
      throw badInput(`${path} has ${source.size} bytes; at most 100 MB are read`, { where: path });
    }
    const bytes = new Uint8Array(source.size);
    await source.read(bytes, 0);
    text = new TextDecoder().decode(bytes);
  } finally {
    await source.close();
  }
  const shardOf = new Map<string, string>();
  const json = new JsonCursor(text, path);
  json.object((key) => {
    if (key !== 'weight_map') return json.skip();
    json.object((tensor) => {
      const shard = json.string();
      if (!/^\w[\w.-]*$/.test(shard) || !shard.endsWith(extension)) {
        json.fail(`the shard ${quote(shard)} is not a plain file name that ends in ${extension}`);
      }
      shardOf.set(tensor, shard);
    });
  });
  json.end();
  if (shardOf.size === 0) json.fail('expected a weight_map with at least one tensor');
  return shardOf;
}

function gather(files: readonly [string, TensorFile][]): TensorFiles {
  const tensors = new Map<string, TensorInfo>();
  const fileOf = new Map<string, TensorFile>();
  for (const [, file] of files) {
    for (const [name, info] of file.tensors) {
      tensors.set(name, info);
      fileOf.set(name, file);
    }
  }
  const find = (name: string): TensorFile => {
    const file = fileOf.get(name);
    if (file === undefined) throw badInput(`there is no tensor ${quote(name)}`, { where: files[0]?.[0] ?? '' });
    return file;
  };
  return {
    tensors,
    paths: files.map(([path]) => path),
    readTensor: async (name) => find(name).readTensor(name),
    async *readBlocks(name, length) {
      const file = find(name);
      const info = file.tensors.get(name)!;
      const read = await file.elements(name);
      const total = info.shape.reduce((product, size) => product * size, 1);
      const path = files.find(([, candidate]) => candidate === file)![0];
      for (let start = 0; start < total; start += length) {
        yield await readFloats(info, read, path, { start, length: Math.min(length, total - start) });
      }
    },
    async sameBytes(nameA, nameB) {
      const a = tensors.get(nameA)!;
      const b = tensors.get(nameB)!;
      if (a.dtype !== b.dtype || a.byteLength !== b.byteLength) return false;
      const [readA, readB] = [await find(nameA).elements(nameA), await find(nameB).elements(nameB)];
      for (let start = 0; start < a.byteLength; start += chunkLength) {
        const length = Math.min(chunkLength, a.byteLength - start);
        const [left, right] = [Buffer.alloc(length), Buffer.alloc(length)];
        await readA(left, start);
        await readB(right, start);
        if (!left.equals(right)) return false;
      }
      return true;
    },
    async close() {
      for (const [, file] of files) await file.close();
    },
  };
}

function noWeights(folder: string): Error {
  if (!existsSync(folder)) return badInput(`there is no folder ${folder}`, { where: folder, cure: 'check the path' });
  const names = formats.map(({ single }) => single).join(' and no ');
  return badInput(`${folder} has no ${names}, nor shards of one`, { where: folder, cure: 'check the path' });
}
