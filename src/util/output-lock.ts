/**
 * One writer for an output. Two runs that write the same folder each work for hours, and then one of them loses. The lock is a file
 * in the folder for temporary files, named after the output, with the process that holds it; so it also works for an output
 * whose folder is not there yet, and leaves nothing beside it. A process that was killed leaves its lock behind: the next one
 * sees that it is gone, takes over, and removes what the dead one had half written.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { LexrayError } from './errors.ts';

interface Holder {
  readonly pid: number;
  readonly output: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/**
 * Takes an output for this process. Where no lock can be written, there is none.
 * @returns what lets go of it
 * @throws LexrayError USAGE when a process that is alive has it
 */
export async function lockOutput(output: string): Promise<() => Promise<void>> {
  const path = await realPath(resolve(output));
  const lock = join(tmpdir(), `lexray-${createHash('sha256').update(path).digest('hex').slice(0, 24)}.lock`);
  const holder: Holder = { pid: process.pid, output: path, since: Date.now() };
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(lock, JSON.stringify(holder), { flag: 'wx' });
      return async () => rm(lock, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return async () => {};
    }
    const other = await readHolder(lock);
    if (other !== undefined && isAlive(other.pid)) {
      throw new LexrayError('USAGE', `another run (process ${other.pid}) is writing this output: ${output}`, {
        where: output,
        cure: `wait for it, or choose another output; if no such run is there, remove ${lock}`,
      });
    }
    if (other !== undefined) await removeUnfinished(path, other.since);
    await rm(lock, { force: true });
  }
  return async () => {};
}

/** Who holds a lock; undefined when nothing sensible is written there. */
async function readHolder(lock: string): Promise<Holder | undefined> {
  try {
    const { pid, output, since } = JSON.parse(await readFile(lock, 'utf8')) as Partial<Holder>;
    if (!Number.isInteger(pid) || typeof output !== 'string' || typeof since !== 'number') return undefined;
    return { pid: pid!, output, since };
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes the temporary siblings of an output (`write-atomic.ts`) that were made since a time. */
async function removeUnfinished(path: string, since: number): Promise<void> {
  const [folder, prefix] = [dirname(path), `.${basename(path)}.`];
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{8}\.partial$/.test(name.slice(prefix.length))) continue;
    const made = await stat(join(folder, name)).catch(() => undefined);
    // Clocks of file systems are coarse.
    if (made !== undefined && made.birthtimeMs >= since - 1000) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

/** A path without links, of which the last parts need not exist. */
export async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(await realPath(above), basename(path));
  }
}
