/**
 * Options of verbs, declared once for all their sources: a flag and an environment variable give text, a config file
 * gives YAML values; all end in the same zod schema.
 */
import { z } from 'zod';

/** An option or positional argument with values of type `T`. */
export interface OptionSpec<T> {
  readonly description: string;
  /** The word that stands for the value in help, `NUMBER`; undefined for switches. */
  readonly placeholder: string | undefined;
  /** One-letter flag without its dash. */
  readonly short: string | undefined;
  /** Takes several values: the flag may be repeated, and its text is split at commas. */
  readonly many: boolean;
  readonly required: boolean;
  /** Shown in help. */
  readonly shownDefault: string | undefined;
  /** From the text of a flag or environment variable to what the schema takes; undefined when the text does not fit. */
  readonly parse: (text: string) => unknown;
  /** Takes undefined when the option has a default or may be missing. */
  readonly schema: z.ZodType<T>;
}

/** Specs by name in camelCase; the flag is the name in kebab-case. */
export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;

/** The values that specs resolve to. */
export type OptionValues<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends OptionSpec<infer T> ? T : never;
};

interface Common {
  readonly short?: string;
  readonly placeholder?: string;
}

function spec<T>(description: string, schema: z.ZodType<T>, rest: Partial<OptionSpec<T>>): OptionSpec<T> {
  return {
    description,
    schema,
    placeholder: undefined,
    short: undefined,
    many: false,
    required: false,
    shownDefault: undefined,
    parse: (text) => text,
    ...rest,
  };
}

const numeric = (text: string): unknown => (text.trim() === '' || !Number.isFinite(Number(text)) ? text : Number(text));

/** A whole number with a default. */
export function integer(
  description: string,
  options: Common & { readonly default: number; readonly min?: number; readonly max?: number },
): OptionSpec<number> {
  const { default: value, min = 0, max = 2 ** 31 - 1, ...rest } = options;
  return spec(description, z.int().min(min).max(max).default(value), {
    placeholder: 'NUMBER',
    shownDefault: String(value),
    parse: numeric,
    ...rest,
  });
}

/** A whole number that may be left out. */
export function optionalInteger(
  description: string,
  options: Common & { readonly min?: number; readonly max?: number; readonly shownDefault?: string } = {},
): OptionSpec<number | undefined> {
  const { min = 0, max = 2 ** 31 - 1, ...rest } = options;
  return spec(description, z.int().min(min).max(max).optional(), { placeholder: 'NUMBER', parse: numeric, ...rest });
}

/** A number with a default. */
export function decimal(
  description: string,
  options: Common & { readonly default: number; readonly min?: number; readonly max?: number },
): OptionSpec<number> {
  const { default: value, min = -Number.MAX_VALUE, max = Number.MAX_VALUE, ...rest } = options;
  return spec(description, z.number().min(min).max(max).default(value), {
    placeholder: 'NUMBER',
    shownDefault: String(value),
    parse: numeric,
    ...rest,
  });
}

/** A number that may be left out. */
export function optionalDecimal(
  description: string,
  options: Common & { readonly min?: number; readonly max?: number; readonly shownDefault?: string } = {},
): OptionSpec<number | undefined> {
  const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE, ...rest } = options;
  return spec(description, z.number().min(min).max(max).optional(), {
    placeholder: 'NUMBER',
    parse: numeric,
    ...rest,
  });
}

/** A switch, off unless given; `--no-NAME` turns it off again over a config file. */
export function flag(description: string, options: { readonly short?: string } = {}): OptionSpec<boolean> {
  return spec(description, z.boolean().default(false), {
    parse: (text) => {
      const word = text.trim().toLowerCase();
      if (['1', 'true', 'yes', 'on'].includes(word)) return true;
      return ['0', 'false', 'no', 'off'].includes(word) ? false : text;
    },
    ...options,
  });
}

/** Text that must be given. */
export function text(description: string, options: Common = {}): OptionSpec<string> {
  return spec(description, z.string().min(1), { placeholder: 'TEXT', required: true, ...options });
}

/** Text that may be left out. */
export function optionalText(description: string, options: Common = {}): OptionSpec<string | undefined> {
  return spec(description, z.string().min(1).optional(), { placeholder: 'TEXT', ...options });
}

/** Text with a default. */
export function textWithDefault(
  description: string,
  options: Common & { readonly default: string },
): OptionSpec<string> {
  const { default: value, ...rest } = options;
  return spec(description, z.string().min(1).default(value), { placeholder: 'TEXT', shownDefault: value, ...rest });
}

/** One of several words; required unless it has a default. */
export function choice<const W extends string>(
  description: string,
  words: readonly [W, ...W[]],
  options: Common & { readonly default?: NoInfer<W> } = {},
): OptionSpec<W> {
  const { default: value, ...rest } = options;
  const schema = z.enum(words);
  return spec<W>(description, value === undefined ? schema : schema.default(value as z.util.NoUndefined<W>), {
    placeholder: words.join('|'),
    required: value === undefined,
    ...(value === undefined ? {} : { shownDefault: value }),
    ...rest,
  } as Partial<OptionSpec<W>>);
}

/** How the matrices of a model are kept while it encodes. */
export function weightPrecision(): OptionSpec<'float32' | 'float16' | 'int8'> {
  return choice(
    'how the matrices of the model are kept; int8 is faster, and off by a few percent',
    ['float32', 'float16', 'int8'],
    { default: 'float32' },
  );
}

/** Queries may come from another model than the documents. */
export function allowOtherModel(): OptionSpec<boolean> {
  return flag('the queries come from another model than the documents, one that was trained together with it');
}

/** One of several words, or none. */
export function optionalChoice<const W extends string>(
  description: string,
  words: readonly [W, ...W[]],
  options: Common & { readonly shownDefault?: string } = {},
): OptionSpec<W | undefined> {
  return spec<W | undefined>(description, z.enum(words).optional(), { placeholder: words.join('|'), ...options });
}

/** One of several words, a positive number, or nothing. */
export function optionalChoiceOrNumber<const W extends string>(
  description: string,
  words: readonly [W, ...W[]],
  options: Common & { readonly shownDefault?: string } = {},
): OptionSpec<W | number | undefined> {
  return spec<W | number | undefined>(description, z.union([z.enum(words), z.number().positive()]).optional(), {
    placeholder: `${words.join('|')}|NUMBER`,
    parse: numeric,
    ...options,
  });
}

/** Texts that may hold anything, commas too: the flag is repeated. */
export function texts(description: string, options: Common = {}): OptionSpec<readonly string[]> {
  return spec<readonly string[]>(description, z.array(z.string().min(1)).default([]), {
    placeholder: 'TEXT',
    many: true,
    parse: (text) => [text],
    ...options,
  });
}

/** Several words: the flag is repeated, or its words are separated by commas. */
export function words(
  description: string,
  options: Common & { readonly default: readonly string[]; readonly required?: boolean },
): OptionSpec<readonly string[]> {
  const { default: value, required = false, ...rest } = options;
  const list = z.array(z.string().min(1));
  // A list with a default always has something in it: `--measures ,` measures nothing.
  const filled = value.length > 0 ? list.min(1) : list;
  return spec<readonly string[]>(description, required ? list.min(1) : filled.default([...value]), {
    placeholder: 'TEXT',
    many: true,
    required,
    parse: (text) =>
      text
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== ''),
    ...(value.length > 0 ? { shownDefault: value.join(',') } : {}),
    ...rest,
  });
}
