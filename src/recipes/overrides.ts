/**
 * Single settings of a recipe from the command line, `--set guard.mode=warn`: a path of names and places, and a YAML value.
 *
 *     learningRate=1e-4        losses.0.temperature=2        documentRegularizer={name: df-flops}
 *     maxSteps=null            takes a setting out, so that it has its default
 */
import { parse } from 'yaml';
import { LexrayError } from '../util/errors.ts';
import type { RecipeSettings } from './recipe.ts';

/** A setting and its new value. */
export interface Override {
  /** `--set`'s own text, for messages. */
  readonly text: string;
  readonly path: readonly string[];
  /** undefined takes the setting out. */
  readonly value: unknown;
}

/**
 * Reads `NAME.NAME=VALUE`.
 * @throws LexrayError USAGE for another form, or when the value is not YAML
 */
export function parseOverride(text: string): Override {
  const at = text.indexOf('=');
  const path = text
    .slice(0, Math.max(0, at))
    .split('.')
    .map((part) => part.trim());
  if (at < 1 || path.some((part) => !/^[A-Za-z0-9_-]+$/.test(part) || part === '__proto__')) {
    throw new LexrayError('USAGE', `--set: expected NAME=VALUE, got ${JSON.stringify(text.slice(0, 200))}`, {
      cure: 'for example --set learningRate=1e-4 or --set losses.0.temperature=2',
    });
  }
  try {
    const value: unknown = parse(text.slice(at + 1), { maxAliasCount: 0, logLevel: 'error' });
    return { text, path, value: value ?? undefined };
  } catch (cause) {
    const [message] = (cause as Error).message.split('\n');
    throw new LexrayError('USAGE', `--set ${text.slice(0, at)}: the value is not YAML: ${message}`, {
      cause,
      cure: "put the whole in quotes for the shell: --set 'losses=[{name: info-nce}]'",
    });
  }
}

/**
 * Settings with some replaced; the given ones stay as they are.
 * @throws LexrayError USAGE when a path leads through a value that has no names or places
 */
export function applyOverrides(settings: RecipeSettings, overrides: readonly Override[]): RecipeSettings {
  return overrides.reduce((changed, override) => {
    const result = replaced(changed, override.path, override);
    return result as RecipeSettings;
  }, settings);
}

function replaced(node: unknown, path: readonly string[], override: Override): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return override.value;
  if (Array.isArray(node)) {
    const place = /^\d+$/.test(name) ? Number(name) : Number.NaN;
    if (!(place <= node.length)) {
      throw unreachable(override, path, `a place from 0 to ${node.length}`, JSON.stringify(name));
    }
    const list = [...(node as unknown[])];
    const value = replaced(list[place], rest, override);
    list.splice(place, 1, ...(value === undefined ? [] : [value]));
    return list;
  }
  if (node !== undefined && (typeof node !== 'object' || node === null)) {
    throw unreachable(override, path, 'a mapping or a list', JSON.stringify(node));
  }
  const { [name]: old, ...others } = (node ?? {}) as Record<string, unknown>;
  const value = replaced(old, rest, override);
  return value === undefined ? others : { ...others, [name]: value };
}

function unreachable({ text, path }: Override, left: readonly string[], wanted: string, got: string): LexrayError {
  const reached = path.slice(0, path.length - left.length).join('.');
  return new LexrayError('USAGE', `--set ${text}: expected ${wanted} at ${reached}, got ${got}`);
}
