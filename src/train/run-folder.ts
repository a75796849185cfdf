/**
 * The folder in which a run of training keeps its state, `OUTPUT.training`: checks that nothing is in the way, and that a
 * resumed run has the settings that it began with.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, LexrayError } from '../util/errors.ts';
import { checkReplaceable, writeFileAtomic } from '../util/write-atomic.ts';
import { type DataSources, dataSourcesSchema } from './data-sources.ts';

const configName = 'config.json';

/** The state folder of a run that writes to `output`. */
export function trainingFolderOf(output: string): string {
  return `${output.replace(/[\\/]+$/, '')}.training`;
}

/**
 * Checks output and state folder before a run.
 * @throws LexrayError USAGE when the output or an earlier run is in the way
 */
export async function checkRunFolders(
  output: string,
  trainingFolder: string,
  options: { resume: boolean; force: boolean },
): Promise<void> {
  if (existsSync(output) && !options.force) {
    throw new LexrayError('USAGE', `the output already exists: ${output}`, {
      where: output,
      cure: 'choose another output, or pass --force to replace it',
    });
  }
  if (options.force) await checkReplaceable(output);
  const hasState = existsSync(trainingFolder) && (await readdir(trainingFolder)).length > 0;
  if (hasState && !options.resume && !options.force) {
    throw new LexrayError('USAGE', `an earlier run left its state in ${trainingFolder}`, {
      where: trainingFolder,
      cure: 'pass --resume to go on with it, or --force to start anew',
    });
  }
}

/** Where the training data of a run to resume were; undefined where it does not say. */
export async function readSources(trainingFolder: string): Promise<DataSources | undefined> {
  const path = join(trainingFolder, configName);
  if (!existsSync(path)) return undefined;
  const parsed = dataSourcesSchema.safeParse((await readConfig(path)).sources);
  return parsed.success ? parsed.data : undefined;
}

/**
 * Writes the settings of a new run; a resumed one must have the same.
 * @throws LexrayError BAD_INPUT when it has others
 */
export async function agreeOnConfig(
  trainingFolder: string,
  config: Readonly<Record<string, unknown>>,
  resume: boolean,
): Promise<void> {
  const path = join(trainingFolder, configName);
  if (resume && existsSync(path)) {
    const before = await readConfig(path);
    const keys = new Set([...Object.keys(before), ...Object.keys(config)]);
    // A run that the guard has stopped may go on under another guard; of the data their digest counts, not where they lie.
    for (const key of ['guard', 'sources']) keys.delete(key);
    const changed = [...keys].filter((key) => JSON.stringify(before[key]) !== JSON.stringify(config[key]));
    if (changed.length > 0) {
      const list = changed.map(
        (key) => `${key} (was ${JSON.stringify(before[key])}, is ${JSON.stringify(config[key])})`,
      );
      throw badInput(`the run to resume had other settings: ${list.join(', ')}`, {
        where: path,
        cure: 'give the same model, data and settings, or start anew with --force',
      });
    }
    return;
  }
  await writeFileAtomic(path, `${JSON.stringify(config, null, 2)}\n`);
}

async function readConfig(path: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
  }
  throw badInput('the settings of the run to resume are not JSON', { where: path, cure: 'start anew with --force' });
}
