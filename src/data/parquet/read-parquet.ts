/**
 * Parquet files as streams of rows, decoded by hyparquet (all codecs of `hyparquet-compressors`: Snappy, Zstandard, gzip,
 * Brotli, LZ4). The columns that are wanted of one row group are held at a time, in a process with a limited heap, so
 * that a damaged or hostile file ends with an error and nothing else.
 *
 * Values are as in JSON: 64-bit integers are numbers where these are exact, else strings.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { builtFile } from '../../util/built-file.ts';
import { badInput, throwIfAborted } from '../../util/errors.ts';
import { readHead } from '../../util/read-bytes.ts';

/** A row and its number, counted from 1 through the whole file. */
export interface ParquetRow {
  readonly number: number;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Options of {@link readParquet}. */
export interface ReadParquetOptions {
  /** Which columns to read, given those that there are; the order in the file is kept. @default all */
  readonly columns?: ((names: readonly string[]) => readonly string[]) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the decoder is told: to go on. The first time, with which columns. */
export interface ParquetRequest {
  readonly columns?: readonly string[] | undefined;
}

/** What the decoder says. */
export type ParquetReply =
  | { readonly kind: 'columns'; readonly names: readonly string[]; readonly rowCount: number }
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] }
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly message: string };

/** The heap in which a row group is decoded, in MiB. */
const heapLimit = 2048;

/** Whether a file is Parquet, by its first bytes. */
export async function isParquet(path: string): Promise<boolean> {
  return Buffer.from(await readHead(path, 4)).toString('latin1') === 'PAR1';
}

/**
 * Reads rows as objects, their fields in the order of the columns.
 * @throws LexrayError BAD_INPUT with the row after which it failed, when the file is damaged or a row group is too large
 */
export async function* readParquet(path: string, options: ReadParquetOptions = {}): AsyncGenerator<ParquetRow> {
  throwIfAborted(options.signal);
  const decoder = startDecoder(path);
  const replies = new Replies(decoder);
  const abort = (): void => void decoder.kill('SIGKILL');
  options.signal?.addEventListener('abort', abort, { once: true });
  let number = 0;
  try {
    for (;;) {
      const reply = await replies.next();
      throwIfAborted(options.signal);
      if (reply.kind === 'end') return;
      if (reply.kind === 'error') throw damaged(reply.message, path, number);
      if (reply.kind === 'columns') {
        const wanted = options.columns?.(reply.names);
        decoder.send({ columns: wanted } satisfies ParquetRequest);
        continue;
      }
      // The next rows are decoded while these are looked at.
      decoder.send({} satisfies ParquetRequest);
      for (const row of reply.rows) yield { number: ++number, value: row as Record<string, unknown> };
    }
  } finally {
    options.signal?.removeEventListener('abort', abort);
    decoder.kill('SIGKILL');
  }
}

/**
 * The number of rows, as the file says it.
 * @throws LexrayError BAD_INPUT when the file is damaged
 */
export async function countParquetRows(path: string): Promise<number> {
  const decoder = startDecoder(path);
  try {
    const reply = await new Replies(decoder).next();
    if (reply.kind === 'columns') return reply.rowCount;
    throw damaged(reply.kind === 'error' ? reply.message : 'it has no columns', path, 0);
  } finally {
    decoder.kill('SIGKILL');
  }
}

function startDecoder(path: string): ChildProcess {
  return fork(builtFile('data/parquet/parquet-worker.js'), [path], {
    execArgv: [`--max-old-space-size=${heapLimit}`],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** The decoder's messages in order; its end before the last of them is an error. */
class Replies {
  readonly #waiting: ParquetReply[] = [];
  #failure: string | undefined;
  #wake: (() => void) | undefined;

  constructor(decoder: ChildProcess) {
    decoder.on('message', (reply: ParquetReply) => {
      this.#waiting.push(reply);
      this.#wake?.();
    });
    decoder.on('error', (error) => this.#fail(error.message));
    decoder.on('exit', () =>
      this.#fail(`the decoder died, as it does when a row group needs more than ${heapLimit} MiB`),
    );
  }

  async next(): Promise<ParquetReply> {
    for (;;) {
      const reply = this.#waiting.shift();
      if (reply !== undefined) return reply;
      if (this.#failure !== undefined) return { kind: 'error', message: this.#failure };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #fail(message: string): void {
    this.#failure ??= message;
    this.#wake?.();
  }
}

function damaged(message: string, path: string, rows: number): Error {
  return badInput(`the Parquet file cannot be read${rows > 0 ? ` after row ${rows}` : ''}: ${message}`, {
    where: path,
    cure: 'fetch the file again; if it is whole, write it with smaller row groups',
  });
}
