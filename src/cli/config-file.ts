/**
 * Config files: YAML (or JSON) with the names of a verb's arguments and options, in camelCase or kebab-case.
 *
 *     threads: 2            # for every verb that reads this file
 *     encode:               # for one verb: wins over the top level
 *       maxActiveDims: 128
 *
 * A key that the verb does not know is refused. Sections of other verbs are left alone.
 */
import { readFile, stat } from 'node:fs/promises';
import { closest } from '../util/closest.ts';
import { LexrayError } from '../util/errors.ts';

const largestConfig = 1 << 20;

/** What a config file may name. */
export interface ConfigNames {
  /** The verb whose settings are wanted. */
  readonly verb: string;
  readonly verbs: ReadonlySet<string>;
  /** Names of the verb's settings. */
  readonly settings: ReadonlySet<string>;
}

/**
 * The settings of a verb in a config file, by camelCase name, not yet checked against their schemas.
 * @throws LexrayError CONFIG when the file cannot be read, is not a YAML mapping, or has an unknown key
 */
export async function readConfig(path: string, names: ConfigNames): Promise<Map<string, unknown>> {
  const root = await parseFile(path);
  const settings = new Map<string, unknown>();
  for (const [key, value] of Object.entries(root)) {
    if (!names.verbs.has(key) || names.settings.has(camelCase(key))) take(settings, key, value, path, names);
  }
  const section = root[names.verb];
  if (section !== undefined && section !== null && !names.settings.has(names.verb)) {
    if (!isMapping(section)) {
      throw new LexrayError('CONFIG', `expected a mapping under "${names.verb}"`, {
        where: path,
        cure: 'indent its settings below it',
      });
    }
    for (const [key, value] of Object.entries(section)) take(settings, key, value, `${path}: ${names.verb}`, names);
  }
  return settings;
}

/** `max-active-dims` → `maxActiveDims`. */
export function camelCase(name: string): string {
  return name.replace(/[-_]+(.)/g, (_, letter: string) => letter.toUpperCase());
}

function take(settings: Map<string, unknown>, key: string, value: unknown, where: string, names: ConfigNames): void {
  const name = camelCase(key);
  if (!names.settings.has(name)) {
    const near = closest(key, [...names.settings, ...names.verbs]);
    throw new LexrayError('CONFIG', `unknown key "${key}" for ${names.verb}`, {
      where,
      cure: near === undefined ? `lexray ${names.verb} --help shows what it takes` : `did you mean "${near}"?`,
    });
  }
  settings.set(name, value);
}

async function parseFile(path: string): Promise<Record<string, unknown>> {
  let content: string;
  try {
    const { size } = await stat(path);
    if (size > largestConfig) throw new Error(`it has ${size} bytes, more than ${largestConfig}`);
    content = await readFile(path, 'utf8');
  } catch (cause) {
    throw new LexrayError('CONFIG', `cannot read the config file: ${(cause as Error).message}`, {
      where: path,
      cause,
      cure: 'check the path given with -c',
    });
  }
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(content, { maxAliasCount: 100 });
  } catch (cause) {
    throw new LexrayError('CONFIG', `the config file is not YAML: ${(cause as Error).message.split('\n')[0]}`, {
      where: path,
      cause,
      cure: 'mend the line it names',
    });
  }
  if (value === null || value === undefined) return {};
  if (!isMapping(value)) {
    throw new LexrayError('CONFIG', 'expected a mapping of settings in the config file', {
      where: path,
      cure: 'write one "name: value" a line',
    });
  }
  return value;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
