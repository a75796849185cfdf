/**
 * Where the bytes of a checkpoint come from: one seam for files, memory and whatever comes later.
 * A source is read by position; nothing is read ahead or kept.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { badInput } from '../util/errors.ts';

/** Random access to a sequence of bytes. */
export interface ByteSource {
  /** What error messages call it: a path. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Fills `target` with the bytes from `position` on.
   * @throws LexrayError BAD_INPUT when the source ends before `target` is full
   */
  read(target: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a regular file.
 * @throws LexrayError BAD_INPUT when it is missing, not a regular file, or cannot be opened
 */
export async function openFileSource(path: string): Promise<ByteSource> {
  let file: FileHandle;
  let size: number;
  try {
    const status = await stat(path);
    if (!status.isFile()) throw new Error('not a regular file');
    size = status.size;
    file = await open(path, 'r');
  } catch (cause) {
    throw badInput(`cannot read ${path}: ${(cause as Error).message}`, { where: path, cause, cure: 'check the path' });
  }
  return {
    name: path,
    size,
    async read(target, position) {
      for (let done = 0; done < target.length; ) {
        const length = Math.min(target.length - done, 1 << 30);
        const { bytesRead } = await file.read(target, done, length, position + done);
        if (bytesRead === 0) throw endsEarly(path, position + done, target.length - done);
        done += bytesRead;
      }
    },
    close: () => file.close(),
  };
}

/** A source over bytes in memory. */
export function memorySource(bytes: Uint8Array, name = 'memory'): ByteSource {
  return {
    name,
    size: bytes.length,
    async read(target, position) {
      const slice = bytes.subarray(position, position + target.length);
      if (slice.length < target.length) throw endsEarly(name, bytes.length, target.length - slice.length);
      target.set(slice);
    },
    close: async () => {},
  };
}

function endsEarly(where: string, position: number, missing: number): Error {
  return badInput(`${where} ends at byte ${position}, ${missing} bytes too early`, {
    where,
    cure: 'the file is truncated: fetch or write it again',
  });
}
