/** Runs the built program as a user does, and makes the small files that its tests work on. */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The built entry point. */
export const program: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How a run ended and what it said. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@link lexray}. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sends `signal` as soon as this holds; asked every 20 ms. */
  readonly interruptWhen?: () => boolean;
  /** @default 'SIGINT' */
  readonly signal?: NodeJS.Signals;
  /** Killed after so many seconds. @default 60 */
  readonly seconds?: number;
}

/** Runs `lexray ARGUMENTS…` to its end. */
export function lexray(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { LEXRAY_CONFIG: _, FORCE_COLOR: __, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: options.cwd,
      env: { ...inherited, LEXRAY_THREADS: '1', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: (options.seconds ?? 60) * 1000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    const watch = setInterval(() => {
      if (!options.interruptWhen?.()) return;
      clearInterval(watch);
      child.kill(options.signal ?? 'SIGINT');
    }, 20);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(watch);
      resolve({ code, stdout, stderr });
    });
  });
}

/** A fresh folder whose name has a space. */
export function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'lexray cli '));
}

const texts: readonly (readonly [string, string, string])[] = [
  ['d1', 'weather', 'rain and cold in the city today'],
  ['d2', 'garden', 'the tree in the garden of the red house'],
  ['d3', 'fish', 'fish in the river, cold water'],
  ['d4', 'book', 'read a book, write a paper, learn to search'],
  ['d5', '', 'sparse vector index for search'],
  ['d6', 'snow', 'how warm is the snow? not warm'],
];

/** Writes a BEIR folder of six documents and three queries. */
export async function writeCollection(folder: string): Promise<string> {
  await mkdir(join(folder, 'qrels'), { recursive: true });
  const corpus = texts.map(([_id, title, text]) => JSON.stringify({ _id, title, text }));
  const queries = [
    { _id: 'q1', text: 'weather in the city' },
    { _id: 'q2', text: 'river fish' },
    { _id: 'q3', text: 'search index' },
  ].map((query) => JSON.stringify(query));
  await writeFile(join(folder, 'corpus.jsonl'), `${corpus.join('\n')}\n`);
  await writeFile(join(folder, 'queries.jsonl'), `${queries.join('\n')}\n`);
  await writeFile(
    join(folder, 'qrels', 'test.tsv'),
    'query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td6\t1\nq2\td3\t1\nq3\td5\t1\nq3\td4\t1\n',
  );
  return folder;
}
