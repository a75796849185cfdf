/**
 * The command line as a whole: from arguments to an exit code. commander parses; the verbs' own declarations give it
 * the flags, and `settings.ts` their values.
 */
import { Argument, Command, CommanderError, Option } from 'commander';
import { closest } from '../util/closest.ts';
import { LexrayError } from '../util/errors.ts';
import { lockOutput } from '../util/output-lock.ts';
import { lexrayVersion } from '../util/version.ts';
import { exitCodeOf, exitCodes, formatError } from './exit-code.ts';
import { forecastResult } from './forecast.ts';
import type { OptionSpec } from './option.ts';
import { printResult, type TextSink } from './output.ts';
import { ProgressBar } from './progress-bar.ts';
import { commonOptions, flagName, type GivenValues, resolveSettings } from './settings.ts';
import { type Verb, type VerbContext, verbGroups } from './verb.ts';

/** What the command line touches outside of itself. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextSink;
  readonly stderr: TextSink & { readonly isTTY?: boolean; readonly columns?: number };
  /** Fires on Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Runs `lexray ARGUMENTS…` and returns its exit code; never throws. */
export async function runCommandLine(
  args: readonly string[],
  verbs: readonly Verb[],
  terminal: Terminal,
): Promise<number> {
  const verbose = args.includes('--verbose') || terminal.env.LEXRAY_VERBOSE === '1';
  let exitCode: number = exitCodes.ok;
  try {
    const program = buildProgram(verbs, terminal, async (verb, given) => {
      exitCode = await runVerb(verb, verbs, given, terminal);
    });
    if (args.length === 0) {
      terminal.stderr.write(program.helpInformation());
      return exitCodes.usage;
    }
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.ok;
      const usage = usageError(error, args, verbs);
      terminal.stderr.write(`${formatError(usage, verbose)}\n`);
      return exitCodes.usage;
    }
    terminal.stderr.write(`${formatError(error, verbose)}\n`);
    return exitCodeOf(error);
  }
}

async function runVerb(verb: Verb, verbs: readonly Verb[], given: GivenValues, terminal: Terminal): Promise<number> {
  const settings = await resolveSettings(verb, new Set(verbs.map((v) => v.name)), given, terminal.env);
  const json = settings.json === true;
  const bar = new ProgressBar({
    stream: terminal.stderr,
    env: terminal.env,
    quiet: settings.quiet === true,
    hidden: json,
    now: () => performance.now(),
  });
  const { json: _json, quiet: _quiet, verbose: _verbose, dryRun, force, ...config } = settings;
  const context: VerbContext = {
    signal: terminal.signal,
    onProgress: bar.update,
    onWarning: bar.warn,
    output: typeof settings.output === 'string' ? settings.output : '',
    force: force === true,
    seed: settings.seed as number,
    threads: settings.threads as number,
    json,
    config,
  };
  try {
    if (verb.forecast !== undefined && dryRun === true) {
      const forecast = await verb.forecast(settings as never, context);
      bar.finish();
      printResult(terminal.stdout, verb.name, forecastResult(forecast), json);
      return exitCodes.ok;
    }
    const release = context.output === '' ? undefined : await lockOutput(context.output);
    const result = await verb.run(settings as never, context).finally(release);
    bar.finish();
    printResult(terminal.stdout, verb.name, result, json);
    if (result.failure !== undefined) throw result.failure;
    return exitCodes.ok;
  } catch (error) {
    bar.finish();
    terminal.stderr.write(`${formatError(error, settings.verbose === true)}\n`);
    return exitCodeOf(error);
  }
}

function buildProgram(
  verbs: readonly Verb[],
  terminal: Terminal,
  action: (verb: Verb, given: GivenValues) => Promise<void>,
): Command {
  const program = new Command('lexray')
    .description('Train, calibrate, prune, search and measure learned sparse retrievers.')
    .version(lexrayVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [verb]', 'show the help of a verb')
    .usage('VERB [options]')
    .showSuggestionAfterError(true)
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
    .configureOutput({ writeOut: (text) => terminal.stdout.write(text), writeErr: () => {} });
  for (const group of verbGroups) {
    for (const verb of verbs) {
      if (verb.group === group) program.addCommand(buildCommand(verb, program, action));
    }
  }
  return program;
}

function buildCommand(
  verb: Verb,
  program: Command,
  action: (verb: Verb, given: GivenValues) => Promise<void>,
): Command {
  const command = new Command(verb.name)
    .summary(verb.summary)
    .description(verb.summary)
    .helpGroup(verb.group)
    .copyInheritedSettings(program)
    .addHelpOption(new Option('-h, --help', 'show this help').helpGroup('Common options:'))
    .exitOverride()
    .allowExcessArguments(false);
  const words: string[] = [];
  for (const [name, spec] of Object.entries(verb.arguments)) {
    const word = spec.placeholder ?? name.toUpperCase();
    command.addArgument(new Argument(`[${word}${spec.many ? '...' : ''}]`, spec.description));
    words.push(spec.many ? `${word}…` : word);
  }
  command.usage([...words, '[options]'].join(' '));
  for (const [name, spec] of Object.entries(verb.options)) addOption(command, name, spec);
  const common = commonOptions(verb);
  command.addOption(new Option('-c, --config <FILE>', 'settings from a YAML file').helpGroup('Common options:'));
  for (const [name, spec] of Object.entries(common)) {
    addOption(command, name, spec, name === 'output' || name === 'force' ? undefined : 'Common options:');
  }
  const examples = verb.examples.map((line) => `  ${line}`).join('\n');
  if (examples !== '') command.addHelpText('after', `\nExamples:\n${examples}`);
  command.action(async () => {
    await action(verb, {
      positional: command.processedArgs as (string | string[] | undefined)[],
      flags: command.opts() as GivenValues['flags'],
    });
  });
  return command;
}

function addOption(command: Command, name: string, spec: OptionSpec<unknown>, group?: string): void {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const value = spec.placeholder === undefined ? '' : ` <${spec.placeholder}>`;
  const shown = spec.shownDefault === undefined ? '' : ` (default: ${spec.shownDefault})`;
  const option = new Option(`${short}${flagName(name)}${value}`, `${spec.description}${shown}`);
  if (spec.many) {
    option.argParser((text: string, before: readonly string[] | undefined) => [...(before ?? []), text]);
  }
  if (group !== undefined) option.helpGroup(group);
  command.addOption(option);
  if (spec.placeholder === undefined) {
    command.addOption(new Option(flagName(name).replace('--', '--no-')).hideHelp());
  }
}

function usageError(error: CommanderError, args: readonly string[], verbs: readonly Verb[]): LexrayError {
  const [first = '', ...rest] = error.message.replace(/^error:\s*/, '').split('\n');
  const hint = rest.join(' ').match(/Did you mean (?:one of )?(.+?)\?\)?$/)?.[1];
  const verb = verbs.find((v) => v.name === args[0]);
  const help = verb === undefined ? 'lexray --help lists the verbs' : `lexray ${verb.name} --help shows what it takes`;
  const wanted = args[0] === 'help' ? args[1] : args[0];
  if (error.code === 'commander.unknownCommand' || args[0] === 'help') {
    const names = verbs.map(({ name }) => name);
    const near = closest(wanted ?? '', names);
    const cure = near === undefined ? help : `did you mean ${near}?`;
    return new LexrayError('USAGE', `unknown verb '${wanted}'`, { cure });
  }
  const before = verb === undefined && error.code === 'commander.unknownOption';
  const cure = before ? 'options stand behind the verb: lexray VERB [options]' : help;
  return new LexrayError('USAGE', first, { cure: hint === undefined ? cure : `did you mean ${hint}?` });
}
