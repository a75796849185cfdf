/**
 * The entry of the process that decodes a Parquet file for `read-parquet.ts`, a row group at a time. It is a process of its
 * own because a run length in a damaged or hostile file can ask the decoder for an array larger than V8 allows, and then V8
 * ends the process (a worker thread takes the whole process with it).
 */
import { open } from 'node:fs/promises';
import { type AsyncBuffer, type Compressors, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors, decompressZstd } from 'hyparquet-compressors';
import type { ParquetReply, ParquetRequest } from './read-parquet.ts';

/** Bytes of a page, and of a read. */
const maxBytes = 1 << 30;
/** Rows of a row group: their columns are whole in memory. */
const maxRows = 1 << 24;
/** Rows of a message. */
const batchRows = 512;

const path = process.argv[2]!;
let answer: ((request: ParquetRequest) => void) | undefined;
process.on('message', (request: ParquetRequest) => answer?.(request));
// The reader decides what an interruption means.
process.on('SIGINT', () => {});
// The reader is gone.
process.on('disconnect', () => process.exit());

function send(reply: ParquetReply): void {
  process.send!(reply, undefined, undefined, (error) => {
    if (error) process.exit(1);
  });
}

/** Sends a message and waits until the reader asks for more. */
function exchange(reply: ParquetReply): Promise<ParquetRequest> {
  return new Promise((resolve) => {
    answer = resolve;
    send(reply);
  });
}

async function run(): Promise<void> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const file: AsyncBuffer = {
      byteLength: size,
      slice: async (start, end = size) => {
        const length = end - start;
        if (!(start >= 0 && length >= 0 && end <= size && length <= maxBytes)) {
          throw new Error(`bytes ${start} to ${end} are not in the file of ${size} bytes, or too many`);
        }
        const bytes = new Uint8Array(length);
        const { bytesRead } = await handle.read(bytes, 0, length, start);
        if (bytesRead < length) throw new Error('the file ended while it was read');
        return bytes.buffer;
      },
    };
    const metadata = await parquetMetadataAsync(file, { geoparquet: false });
    const names = parquetSchema(metadata).children.map(({ element }) => element.name);
    const rowCount = metadata.row_groups.reduce((sum, group) => sum + checkRows(group.num_rows), 0);
    const { columns } = await exchange({ kind: 'columns', names, rowCount });
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + checkRows(group.num_rows);
      const options = { file, metadata, rowStart, rowEnd, compressors: limited, parsers: { jsonFromBytes } };
      const rows = await parquetReadObjects({ ...options, ...(columns && { columns: [...columns] }) });
      for (let at = 0; at < rows.length; at += batchRows) {
        await exchange({ kind: 'rows', rows: rows.slice(at, at + batchRows).map(plainValue) });
      }
      rowStart = rowEnd;
    }
    send({ kind: 'end' });
  } finally {
    await handle.close();
  }
}

function checkRows(rows: bigint): number {
  if (rows >= 0n && rows <= BigInt(maxRows)) return Number(rows);
  throw new Error(`a row group of ${rows} rows; at most ${maxRows} are read at once`);
}

/** The size of a page comes from the file. */
const limited: Compressors = Object.fromEntries(
  Object.entries({ ...compressors, ZSTD: intoBuffer }).map(([codec, decompress]) => [
    codec,
    (input: Uint8Array, length: number) => {
      if (length >= 0 && length <= maxBytes) return decompress!(input, length);
      throw new Error(`a page of ${length} bytes; at most ${maxBytes} are read at once`);
    },
  ]),
);

function intoBuffer(input: Uint8Array, length: number): Uint8Array {
  return decompressZstd(input, new Uint8Array(length));
}

/** A column of JSON that is not JSON stays a text. */
function jsonFromBytes(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Values as JSON would have them: 64-bit integers as numbers where these are exact, else as strings. */
function plainValue(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return Array.from(value as Uint8Array, plainValue);
  if (Array.isArray(value)) return value.map(plainValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item)]));
}

run().catch((error: unknown) => send({ kind: 'error', message: (error as Error).message }));
