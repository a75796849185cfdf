/**
 * What a verb of the command line is. One file a verb in `verbs/`; to add one:
 *
 * 1. `verbs/NAME.ts` exports `const nameVerb: Verb = defineVerb({ … })`: its positional arguments and options (built with
 *    the functions of `option.ts`, in the order in which help shows them), a zod schema of the object that `--json` prints,
 *    and `run`, which returns that object, the text for people, and a `failure` when a gate was missed.
 * 2. add it to the list in `registry.ts`.
 *
 * The rest comes with the form: `-c --json --quiet --verbose --seed --threads` on every verb, `-o --force` when `output` is
 * given, `--dry-run` when `forecast` is given; values from flags over environment over config file over defaults; help;
 * exit codes; progress; Ctrl-C. Import what a verb needs inside `run`, so that `lexray --help` loads none of it.
 */
import type { z } from 'zod';
import type { LexrayError } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import type { Forecast } from './forecast.ts';
import type { OptionSpec, OptionSpecs, OptionValues } from './option.ts';

/** The headings under which `lexray --help` lists the verbs, in this order. */
export const verbGroups = ['Start:', 'Models:', 'Vectors and search:', 'Evaluation:', 'Installation:'] as const;

/** A heading of `lexray --help`. */
export type VerbGroup = (typeof verbGroups)[number];

/** What every verb gets beside its own settings. */
export interface VerbContext {
  /** Fires on the first Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onProgress: ProgressListener;
  readonly onWarning: WarningListener;
  /** Where artifacts go (`-o`); an empty string on verbs without output. */
  readonly output: string;
  /** Replace an existing output. */
  readonly force: boolean;
  readonly seed: number;
  readonly threads: number;
  /** The user asked for JSON. */
  readonly json: boolean;
  /** Every resolved setting, for the manifest of what is written. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a verb returns; `cli/` prints it. */
export interface VerbResult<Data> {
  /** The object that `--json` prints. */
  readonly data: Data;
  /** The same for people; printed with a final newline. */
  readonly text: string;
  /** Thrown after the result is printed: a gate that was missed. */
  readonly failure?: LexrayError;
}

/** How a verb's `-o` is described and whether it must be given. */
export interface OutputSpec {
  /** The word in help: `INDEX`, `FILE`. */
  readonly placeholder: string;
  readonly description: string;
  readonly required: boolean;
}

/** A verb as its file declares it, with its settings typed. */
export interface VerbDefinition<P extends OptionSpecs, O extends OptionSpecs, Data extends Record<string, unknown>> {
  readonly name: string;
  readonly group: VerbGroup;
  readonly summary: string;
  /** Positional arguments, in order; the last may take many values. */
  readonly arguments: P;
  readonly options: O;
  readonly output?: OutputSpec;
  readonly examples: readonly string[];
  /** Schema of the object that `--json` prints, without the envelope of `output.ts`. */
  readonly result: z.ZodType<Data>;
  run(settings: OptionValues<P> & OptionValues<O>, context: VerbContext): Promise<VerbResult<Data>>;
  /** What the run would take; its presence gives the verb `--dry-run`. */
  forecast?(settings: OptionValues<P> & OptionValues<O>, context: VerbContext): Promise<Forecast>;
}

/** A verb as the registry holds it: settings are checked against the specs before they are passed. */
export interface Verb {
  readonly name: string;
  readonly group: VerbGroup;
  readonly summary: string;
  readonly arguments: Readonly<Record<string, OptionSpec<unknown>>>;
  readonly options: Readonly<Record<string, OptionSpec<unknown>>>;
  readonly output: OutputSpec | undefined;
  readonly examples: readonly string[];
  readonly result: z.ZodType<Record<string, unknown>>;
  readonly run: (settings: never, context: VerbContext) => Promise<VerbResult<Record<string, unknown>>>;
  readonly forecast: ((settings: never, context: VerbContext) => Promise<Forecast>) | undefined;
}

/** Declares a verb. */
export function defineVerb<P extends OptionSpecs, O extends OptionSpecs, Data extends Record<string, unknown>>(
  definition: VerbDefinition<P, O, Data>,
): Verb {
  return {
    name: definition.name,
    group: definition.group,
    summary: definition.summary,
    arguments: definition.arguments,
    options: definition.options,
    output: definition.output,
    examples: definition.examples,
    result: definition.result,
    run: (settings, context) => definition.run(settings, context),
    forecast: definition.forecast && ((settings, context) => definition.forecast!(settings, context)),
  };
}
