/**
 * metrics.jsonl: one JSON object a line, keys as sentence-transformers' trainer logs them. Lines are appended as they
 * come; a resumed run first drops those after its checkpoint.
 */
import { existsSync } from 'node:fs';
import { appendFile, readFile } from 'node:fs/promises';
import { badInput } from '../util/errors.ts';
import { writeFileAtomic } from '../util/write-atomic.ts';

/** One line: always a step, and figures by name. */
export interface MetricsRow {
  readonly step: number;
  readonly epoch: number;
  readonly [figure: string]: number;
}

/** Receives metrics as they are logged. */
export type MetricsListener = (row: MetricsRow) => void;

/** Appends a line. */
export async function appendMetrics(path: string, row: MetricsRow): Promise<void> {
  await appendFile(path, `${JSON.stringify(row)}\n`);
}

/**
 * Reads all lines; a half-written last line of a killed run is ignored, and a file that is not there is empty.
 * @throws LexrayError BAD_INPUT when another line is no object with a step
 */
export async function readMetrics(path: string): Promise<MetricsRow[]> {
  if (!existsSync(path)) return [];
  const lines = (await readFile(path, 'utf8')).split('\n');
  lines.pop(); // what follows the last newline: nothing, or half a line
  return lines.map((line, i) => {
    try {
      const row = JSON.parse(line) as MetricsRow;
      if (typeof row.step === 'number') return row;
    } catch {
      // told below
    }
    throw badInput(`line ${i + 1} is no line of metrics`, {
      where: `${path}:${i + 1}`,
      cure: 'remove the line or the file',
    });
  });
}

/** Drops the lines of steps after `step`. */
export async function truncateMetrics(path: string, step: number): Promise<void> {
  const kept = (await readMetrics(path)).filter((row) => row.step <= step);
  await writeFileAtomic(path, kept.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

/** The name under which sentence-transformers logs a measure: `nDCG@10` → `eval_dot_ndcg@10`. */
export function evaluationKey(measure: string): string {
  const names: Readonly<Record<string, string>> = { rr: 'mrr', r: 'recall', p: 'precision', ap: 'map' };
  const [stem = '', cutoff] = measure.toLowerCase().split('@');
  return `eval_dot_${names[stem] ?? stem}${cutoff === undefined ? '' : `@${cutoff}`}`;
}
