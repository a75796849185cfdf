/**
 * TensorBoard's event files beside metrics.jsonl, which stays the truth: each start of a run opens a new file, named so that
 * TensorBoard reads it after those that are there. A resumed run begins its file with the step from which it goes on, and
 * TensorBoard forgets what an earlier start wrote from that step on.
 *
 *     events.out.tfevents.SECONDS.lexray.PROCESS.NUMBER
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Scalars, scalarsRecord, startRecord, versionRecord } from './event.ts';

/** Options of {@link EventFile.open}. */
export interface EventFileOptions {
  /** The first step that the run will take; events of earlier starts from it on no longer count. @default 1 */
  readonly firstStep?: number | undefined;
  /** Seconds since 1970. @default the clock */
  readonly now?: (() => number) | undefined;
}

/** An event file that is being written. */
export class EventFile {
  readonly path: string;
  readonly #now: () => number;

  private constructor(path: string, now: () => number) {
    this.path = path;
    this.#now = now;
  }

  /** Begins a new file in a folder, which is made if needed. */
  static async open(folder: string, options: EventFileOptions = {}): Promise<EventFile> {
    const { firstStep = 1, now = (): number => Date.now() / 1000 } = options;
    await mkdir(folder, { recursive: true });
    const wallTime = now();
    const earlier = await listEventFiles(folder);
    // TensorBoard reads files in the order of their names: never before an earlier start, whatever the clock says.
    const seconds = earlier.reduce((latest, name) => Math.max(latest, secondsOf(name) + 1), Math.floor(wallTime));
    const name = `events.out.tfevents.${String(seconds).padStart(10, '0')}.lexray.${process.pid}.0`;
    const file = new EventFile(join(folder, name), now);
    const start = firstStep > 1 || earlier.length > 0 ? [startRecord(wallTime, firstStep)] : [];
    await writeFile(file.path, Buffer.concat([versionRecord(wallTime), ...start]), { flag: 'wx' });
    return file;
  }

  /** Appends scalars of a step; tags as {@link scalarTags} makes them. */
  async write(step: number, scalars: Scalars): Promise<void> {
    await appendFile(this.path, scalarsRecord(this.#now(), step, scalars));
  }
}

/**
 * Tags of a line of metrics, as transformers' TensorBoard callback groups them: `loss` → `train/loss`,
 * `eval_dot_ndcg@10` → `eval/dot_ndcg@10`. The step is no scalar.
 */
export function scalarTags(row: Readonly<Record<string, number>>): Scalars {
  const evaluation = Object.keys(row).some((name) => name.startsWith('eval_'));
  const entries = Object.entries(row).filter(([name]) => name !== 'step');
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name.startsWith('eval_') ? `eval/${name.slice('eval_'.length)}` : `${evaluation ? 'eval' : 'train'}/${name}`,
      value,
    ]),
  );
}

async function listEventFiles(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  return (await readdir(folder)).filter((name) => /^events\.out\.tfevents\.\d{10,}\./.test(name));
}

function secondsOf(name: string): number {
  return Number(name.split('.')[3]);
}
