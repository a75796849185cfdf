/** The settings of one call: flags over environment (`LEXRAY_MAX_LENGTH`) over config file over defaults, each checked. */
import { availableParallelism } from 'node:os';
import { LexrayError } from '../util/errors.ts';
import { complaintOf } from '../util/schema-complaint.ts';
import { readConfig } from './config-file.ts';
import { flag, integer, type OptionSpec, type OptionSpecs, optionalText, text } from './option.ts';
import type { Verb } from './verb.ts';

/** What the command line parser found: the text of each flag and argument that was given. */
export interface GivenValues {
  /** Positional values, in order; the last may be a list. */
  readonly positional: readonly (string | readonly string[] | undefined)[];
  /** Flags by camelCase name: text, a list of texts, or a boolean for switches. */
  readonly flags: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
}

/** Every option a verb takes besides its own. */
export function commonOptions(verb: Pick<Verb, 'output' | 'forecast'>): OptionSpecs {
  const { output } = verb;
  const outputOptions = { short: 'o', placeholder: output?.placeholder ?? 'PATH' };
  return {
    ...(output && {
      output: output.required
        ? text(output.description, outputOptions)
        : optionalText(output.description, outputOptions),
      force: flag('replace the output if it exists'),
    }),
    ...(verb.forecast && { dryRun: flag('only say what it would take, in time and memory') }),
    seed: integer('seed of all random choices', { default: 42 }),
    threads: integer('threads to use', { default: Math.max(1, availableParallelism()), min: 1, max: 1024 }),
    json: flag('print the result as one JSON object'),
    quiet: flag('no progress and no warnings', { short: 'q' }),
    verbose: flag('show the stack of an error'),
  };
}

/** The environment variable of a setting: `maxLength` → `LEXRAY_MAX_LENGTH`. */
export function environmentName(name: string): string {
  return `LEXRAY_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The flag of a setting: `maxLength` → `--max-length`. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Resolves every setting of a verb.
 * @throws LexrayError USAGE for a missing or unfit flag or argument, CONFIG for one from the environment or config file
 */
export async function resolveSettings(
  verb: Verb,
  verbNames: ReadonlySet<string>,
  given: GivenValues,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, unknown>> {
  const options = { ...verb.options, ...commonOptions(verb) };
  const configPath = typeof given.flags.config === 'string' ? given.flags.config : env.LEXRAY_CONFIG || undefined;
  const names = new Set([...Object.keys(verb.arguments), ...Object.keys(options)]);
  const config =
    configPath === undefined
      ? new Map<string, unknown>()
      : await readConfig(configPath, { verb: verb.name, verbs: verbNames, settings: names });
  const settings: Record<string, unknown> = {};

  Object.entries(verb.arguments).forEach(([name, spec], i) => {
    const value = given.positional[i];
    const placeholder = spec.placeholder ?? name.toUpperCase();
    if (value !== undefined && value.length > 0) {
      settings[name] = check(spec, typeof value === 'string' ? spec.parse(value) : value, placeholder, 'USAGE', verb);
    } else if (config.has(name)) {
      settings[name] = check(spec, config.get(name), `${configPath}: ${name}`, 'CONFIG', verb);
    } else {
      settings[name] = check(spec, undefined, placeholder, 'USAGE', verb);
    }
  });

  for (const [name, spec] of Object.entries(options)) {
    const fromFlag = given.flags[name];
    const variable = environmentName(name);
    const fromEnvironment = env[variable];
    if (fromFlag !== undefined) {
      settings[name] = check(spec, parseGiven(spec, fromFlag), flagName(name), 'USAGE', verb);
    } else if (fromEnvironment !== undefined && fromEnvironment !== '') {
      settings[name] = check(spec, spec.parse(fromEnvironment), variable, 'CONFIG', verb);
    } else if (config.has(name)) {
      settings[name] = check(spec, config.get(name), `${configPath}: ${name}`, 'CONFIG', verb);
    } else {
      settings[name] = check(spec, undefined, flagName(name), 'USAGE', verb);
    }
  }
  return settings;
}

function parseGiven(spec: OptionSpec<unknown>, value: string | readonly string[] | boolean): unknown {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return spec.parse(value);
  return value.flatMap((item) => spec.parse(item));
}

function check(
  spec: OptionSpec<unknown>,
  value: unknown,
  source: string,
  code: 'USAGE' | 'CONFIG',
  verb: Verb,
): unknown {
  const help = `lexray ${verb.name} --help shows what it takes`;
  if (value === undefined && spec.required) {
    throw new LexrayError('USAGE', `missing ${source}: ${spec.description}`, { cure: help });
  }
  const result = spec.schema.safeParse(value);
  if (result.success) return result.data;
  throw new LexrayError(code, `${source}: ${complaintOf(result.error.issues[0]!, value)}`, { cure: help });
}
