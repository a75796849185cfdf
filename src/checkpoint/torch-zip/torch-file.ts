/**
 * Reads `pytorch_model.bin` as PyTorch has written it since 1.6: a zip file of
 *
 *     NAME/data.pkl     a pickle of the state_dict: tensors by name, as views of storages (`tensor-globals.ts`)
 *     NAME/data/KEY     the bytes of each storage; tied tensors share one
 *     NAME/byteorder    `little` or `big`; little where it is missing
 *
 * Nothing in it is executed. Tensors are read one at a time.
 */
import { badInput, type LexrayError } from '../../util/errors.ts';
import { type ByteSource, openFileSource } from '../byte-source.ts';
import { quote } from '../json-cursor.ts';
import { readFloats } from '../read-floats.ts';
import { dtypeBits, type TensorInfo } from '../safetensors-header.ts';
import type { ElementReader, TensorFile } from '../tensor-file.ts';
import { describe, isKind, type PickleValue, type StoredTensor } from './pickle-value.ts';
import { readStrided, requiredLength, type StridedView } from './strided-elements.ts';
import { unpickle } from './unpickle.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

/** An open checkpoint of PyTorch. */
export interface TorchFile extends TensorFile {
  readonly source: ByteSource;
}

const maxPickleSize = 64_000_000;
const resave = 'open the model with transformers and save_pretrained it, which writes model.safetensors';

/**
 * Opens a checkpoint of PyTorch and checks its directory and every tensor's place.
 * @param from a path, or a source, which is closed with the file and when opening fails
 * @throws LexrayError BAD_INPUT when the file is missing, damaged, in another format, or holds anything but tensors
 */
export async function openTorchFile(from: string | ByteSource): Promise<TorchFile> {
  const source = typeof from === 'string' ? await openFileSource(from) : from;
  try {
    await checkFormat(source);
    const archive = findArchive(await readZipDirectory(source), source.name);
    const bigEndian = await readByteOrder(source, archive);
    const state = unpickle(await readEntry(source, archive.get('data.pkl')!, maxPickleSize), source.name);
    const views = new Map<string, StridedView>();
    const tensors = new Map<string, TensorInfo>();
    for (const [name, tensor] of tensorsOf(state, source.name)) {
      const view = viewOf(name, tensor, archive, bigEndian, source.name);
      views.set(name, view);
      tensors.set(name, infoOf(name, tensor, view));
    }
    const elements = async (name: string): Promise<ElementReader> => {
      const view = views.get(name);
      if (view === undefined) {
        throw badInput(`there is no tensor ${quote(name)} in ${source.name}`, { where: source.name });
      }
      return readStrided(source, view);
    };
    return {
      source,
      tensors,
      elements,
      readTensor: async (name) => {
        const read = await elements(name);
        return readFloats(tensors.get(name)!, read, source.name);
      },
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Refuses by name what is often found under this file name and is no zip file. */
async function checkFormat({ name, size, read }: ByteSource): Promise<void> {
  const head = new Uint8Array(Math.min(size, 64));
  await read(head, 0);
  const begins = (bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte);
  if (begins([0x50, 0x4b])) return;
  const wrong = (message: string, cure: string): LexrayError => badInput(`${name} ${message}`, { where: name, cure });
  // A pickled 0x1950a86a20f9469cfc6c, which `torch.save` wrote at the head of a file until PyTorch 1.5.
  if (begins([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19])) {
    throw wrong("is in PyTorch's old format, from before 1.6, which is not read", resave);
  }
  if (new TextDecoder().decode(head).startsWith('version https://git-lfs')) {
    throw wrong('is a Git LFS pointer, not the file itself', 'run git lfs pull in its repository, or fetch it again');
  }
  if (begins([0x80])) throw wrong('is a pickle, not a checkpoint of PyTorch', resave);
  throw wrong('is not a checkpoint of PyTorch (a zip file)', 'fetch the file again');
}

/** The entries of the archive's one folder, by name without it. */
function findArchive(entries: ReadonlyMap<string, ZipEntry>, where: string): ReadonlyMap<string, ZipEntry> {
  const folders = [...entries.keys()]
    .filter((name) => /^[^/]+\/data\.pkl$/.test(name))
    .map((name) => name.slice(0, -8));
  const [folder] = folders;
  if (folder === undefined || folders.length > 1) {
    throw badInput(`${where} is a zip file with ${folders.length} pickles of tensors; expected one`, {
      where,
      cure: 'this is not a pytorch_model.bin: check the path',
    });
  }
  if (entries.has(`${folder}constants.pkl`)) {
    throw badInput(`${where} is a TorchScript program, not weights`, { where, cure: resave });
  }
  const archive = new Map<string, ZipEntry>();
  for (const [name, entry] of entries) {
    if (!name.startsWith(folder)) continue;
    if (entry.compressed) {
      throw badInput(`${where}: the entry ${quote(name)} is compressed; PyTorch stores entries as they are`, {
        where,
        cure: resave,
      });
    }
    archive.set(name.slice(folder.length), entry);
  }
  return archive;
}

async function readEntry(source: ByteSource, entry: ZipEntry, limit: number): Promise<Uint8Array> {
  if (entry.size > limit) {
    throw badInput(
      `${source.name}: the entry ${quote(entry.name)} has ${entry.size} bytes; at most ${limit} are read`,
      {
        where: source.name,
        cure: resave,
      },
    );
  }
  const bytes = new Uint8Array(entry.size);
  await source.read(bytes, entry.offset);
  return bytes;
}

async function readByteOrder(source: ByteSource, archive: ReadonlyMap<string, ZipEntry>): Promise<boolean> {
  const entry = archive.get('byteorder');
  if (entry === undefined) return false;
  const order = new TextDecoder().decode(await readEntry(source, entry, 100));
  if (order !== 'little' && order !== 'big') {
    throw badInput(`${source.name}: its byte order is ${quote(order)}; expected little or big`, {
      where: source.name,
      cure: 'the file is damaged: fetch or write it again',
    });
  }
  return order === 'big';
}

/** The tensors of a state_dict. Plain values beside them (`epoch`, `_metadata`) are left out. */
function tensorsOf(state: PickleValue, where: string): readonly [string, StoredTensor][] {
  if (!isKind(state, 'dict')) {
    throw badInput(`${where} holds ${describe(state)}; expected a state_dict, tensors by name`, {
      where,
      cure: resave,
    });
  }
  const tensors: [string, StoredTensor][] = [];
  for (const [name, value] of state.entries) {
    if (typeof name === 'string' && isKind(value, 'tensor')) tensors.push([name, value]);
  }
  if (tensors.length === 0) {
    const names = [...state.entries.keys()].slice(0, 5).map((name) => quote(String(name)));
    const what = names.length === 0 ? 'nothing' : `only ${names.join(', ')}`;
    throw badInput(`${where} has no tensors: it holds ${what}`, { where, cure: 'save the state_dict itself' });
  }
  return tensors;
}

function viewOf(
  name: string,
  tensor: StoredTensor,
  archive: ReadonlyMap<string, ZipEntry>,
  bigEndian: boolean,
  where: string,
): StridedView {
  const { storage, dtype, offset, shape, strides } = tensor;
  const width = dtypeBits[dtype] / 8;
  const wrong = (message: string): LexrayError =>
    badInput(`${where}: tensor ${quote(name)} ${message}`, {
      where,
      cure: 'the file is damaged: fetch or write it again',
    });
  const entry = archive.get(`data/${storage.key}`);
  if (entry === undefined) throw wrong(`is in storage ${quote(storage.key)}, which is missing`);
  const expected = storage.length * (storage.dtype === undefined ? 1 : width);
  if (entry.size !== expected) {
    throw wrong(`is in storage ${quote(storage.key)} of ${entry.size} bytes; ${expected} are expected`);
  }
  const available = Math.floor(entry.size / width);
  const required = requiredLength(tensor);
  if (required > available) throw wrong(`needs ${required} elements of a storage that has ${available}`);
  // Stored tensors do not repeat elements; that a shape can promise more than the file has would let it fill the memory.
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements > available) throw wrong(`repeats elements: ${elements} of a storage that has ${available}`);
  return { position: entry.offset, width, offset, shape, strides, bigEndian };
}

function infoOf(name: string, { dtype, shape }: StoredTensor, { position, width, offset }: StridedView): TensorInfo {
  const elements = shape.reduce((product, size) => product * size, 1);
  return { name, dtype, shape, byteOffset: position + offset * width, byteLength: elements * width };
}
