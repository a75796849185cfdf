import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { LexrayError } from '../util/errors.ts';
import { runCommandLine } from './command-line.ts';
import { choice, decimal, flag, integer, optionalInteger, text, words } from './option.ts';
import { defineVerb, type Verb, type VerbContext } from './verb.ts';

interface Called {
  settings: Record<string, unknown>;
  context: VerbContext;
}

/** Runs a made-up verb, whose work is `work`. */
async function call(
  args: readonly string[],
  options: {
    env?: Record<string, string>;
    work?: (context: VerbContext) => unknown;
    signal?: AbortSignal;
    failure?: LexrayError;
  } = {},
) {
  let called: Called | undefined;
  const verb: Verb = defineVerb({
    name: 'brew',
    group: 'Models:',
    summary: 'make tea',
    arguments: { leaf: text('what to brew', { placeholder: 'LEAF' }), extras: words('what to add', { default: [] }) },
    options: {
      cups: integer('how many', { default: 2, min: 1, short: 'n' }),
      grams: decimal('how much', { default: 2.5, min: 0 }),
      minutes: optionalInteger('how long'),
      kind: choice('of pot', ['pot', 'bag'], { default: 'pot' }),
      iced: flag('with ice'),
    },
    output: { placeholder: 'POT', description: 'where to', required: false },
    examples: ['lexray brew oolong'],
    result: z.strictObject({ done: z.boolean() }),
    async run(settings, context) {
      called = { settings: settings as Record<string, unknown>, context };
      await options.work?.(context);
      return { data: { done: true }, text: 'done', ...(options.failure && { failure: options.failure }) };
    },
    async forecast() {
      return { seconds: undefined, memoryBytes: 2048, outputBytes: 0, basis: 'a guess' };
    },
  });
  let stdout = '';
  let stderr = '';
  const code = await runCommandLine(args, [verb], {
    env: { NO_COLOR: '1', ...options.env },
    stdout: { write: (chunk: string) => (stdout += chunk) },
    stderr: { write: (chunk: string) => (stderr += chunk) },
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, stdout, stderr, called: called as Called | undefined };
}

describe('what a verb is given', () => {
  it('has a value for every setting', async () => {
    const { code, stdout, called } = await call(['brew', 'oolong']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'done\n' });
    expect(called?.settings).toMatchObject({
      leaf: 'oolong',
      extras: [],
      cups: 2,
      grams: 2.5,
      kind: 'pot',
      iced: false,
    });
    expect(called?.settings.minutes).toBeUndefined();
    expect(called?.context).toMatchObject({ output: '', force: false, seed: 42, json: false });
    expect(called?.context.threads).toBeGreaterThanOrEqual(1);
  });

  it('has what was typed, in its type', async () => {
    const args = ['brew', 'oolong', 'milk', 'honey', '-n', '3', '--grams=1e-2', '--iced', '-o', 'cup', '--force'];
    const { called } = await call([...args, '--seed', '7', '--threads', '1', '--kind', 'bag', '--minutes', '4']);
    expect(called?.settings).toMatchObject({ extras: ['milk', 'honey'], cups: 3, grams: 0.01, iced: true, minutes: 4 });
    expect(called?.context).toMatchObject({ output: 'cup', force: true, seed: 7, threads: 1 });
  });

  it('has a record of the settings without those of the display', async () => {
    const { called } = await call(['brew', 'oolong', '--json', '--force']);
    expect(called?.context.config).toMatchObject({ leaf: 'oolong', cups: 2, seed: 42 });
    for (const name of ['json', 'quiet', 'verbose', 'force', 'dryRun']) {
      expect(called?.context.config).not.toHaveProperty(name);
    }
  });

  it('reads switches and lists from the environment, empty variables as absent', async () => {
    const env = { LEXRAY_ICED: 'yes', LEXRAY_CUPS: '', LEXRAY_GRAMS: '4', LEXRAY_OUTPUT: 'mug' };
    const { called } = await call(['brew', 'oolong'], { env });
    expect(called?.settings).toMatchObject({ iced: true, cups: 2, grams: 4, output: 'mug' });
    const off = await call(['brew', 'oolong', '--no-iced'], { env });
    expect(off.called?.settings).toMatchObject({ iced: false });
  });

  it.each([['0x'], ['1.5'], ['NaN'], ['Infinity'], [' '], ['-1'], ['99999999999']])('refuses %j cups', async (cups) => {
    const { code, stderr, called } = await call(['brew', 'oolong', '--cups', cups]);
    expect({ code, called }).toEqual({ code: 2, called: undefined });
    expect(stderr).toContain('--cups: ');
  });
});

describe('what comes out', () => {
  it('is one JSON object with --json', async () => {
    const { stdout } = await call(['brew', 'oolong', '--json']);
    expect(JSON.parse(stdout)).toEqual({ schema: 1, verb: 'brew', lexray: expect.any(String), done: true });
  });

  it('is a forecast with --dry-run, and nothing is done', async () => {
    const { code, stdout, called } = await call(['brew', 'oolong', '--dry-run']);
    expect({ code, called }).toEqual({ code: 0, called: undefined });
    expect(stdout).toBe('would take unknown time, 2.0 KiB of memory\nestimated from: a guess\nnothing was written\n');
    expect(JSON.parse((await call(['brew', 'oolong', '--dry-run', '--json'])).stdout)).toMatchObject({ seconds: null });
  });

  it('warns on stderr, unless quiet', async () => {
    const work = ({ onWarning }: VerbContext): void => onWarning('hot');
    expect((await call(['brew', 'oolong'], { work })).stderr).toBe('warning: hot\n');
    expect((await call(['brew', 'oolong', '--json'], { work })).stderr).toBe('warning: hot\n');
    expect((await call(['brew', 'oolong', '-q'], { work })).stderr).toBe('');
  });
});

describe('exit codes', () => {
  const failing = (error: unknown) => (): never => {
    throw error;
  };

  it.each([
    ['USAGE', 2],
    ['CONFIG', 2],
    ['BAD_INPUT', 3],
    ['NETWORK', 4],
    ['GATE', 5],
    ['ENGINE_MISSING', 1],
    ['FAILED', 1],
    ['INTERRUPTED', 130],
  ] as const)('%s ends with %d', async (kind, wanted) => {
    const error = new LexrayError(kind, 'it\nbroke', { where: 'file', cure: 'mend it' });
    const { code, stdout, stderr } = await call(['brew', 'oolong'], { work: failing(error) });
    expect({ code, stdout, stderr }).toEqual({
      code: wanted,
      stdout: '',
      stderr: 'error: it broke (file) cure: mend it\n',
    });
  });

  it.each([
    [
      Object.assign(new Error('x'), { code: 'ENOENT', path: '/p' }),
      3,
      'error: no such file or folder (/p) cure: check the path\n',
    ],
    [
      Object.assign(new Error('x'), { code: 'EACCES', path: '/p' }),
      3,
      'error: permission denied (/p) cure: check the permissions\n',
    ],
    [Object.assign(new Error('x'), { code: 'ENOSPC' }), 1, 'error: the disk is full cure: '],
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 4, 'error: x cure: '],
    [new DOMException('gone', 'AbortError'), 130, 'error: interrupted\n'],
    [new TypeError('x is not a function'), 1, 'error: x is not a function cure: run again with --verbose'],
    ['a string', 1, 'error: a string\n'],
    [new Error(''), 1, 'error: Error cure: '],
  ])('%s', async (error, wanted, message) => {
    const { code, stderr } = await call(['brew', 'oolong'], { work: failing(error) });
    expect(code).toBe(wanted);
    expect(stderr).toContain(message);
  });

  it('a missed gate comes after the result', async () => {
    const failure = new LexrayError('GATE', 'too weak');
    const { code, stdout, stderr } = await call(['brew', 'oolong'], { failure });
    expect({ code, stdout, stderr }).toEqual({ code: 5, stdout: 'done\n', stderr: 'error: too weak\n' });
  });

  it('Ctrl-C reaches the work', async () => {
    const controller = new AbortController();
    const work = ({ signal }: VerbContext): void => {
      controller.abort();
      if (signal.aborted) throw new LexrayError('INTERRUPTED', 'interrupted');
    };
    expect((await call(['brew', 'oolong'], { work, signal: controller.signal })).code).toBe(130);
  });

  it('--verbose shows the stack and its causes', async () => {
    const cause = new Error('the root');
    const work = failing(new LexrayError('FAILED', 'it broke', { cause }));
    const { stderr } = await call(['brew', 'oolong', '--verbose'], { work });
    expect(stderr).toMatch(/^error: it broke\nLexrayError: it broke\n +at [\s\S]*caused by: Error: the root\n +at /);
  });
});
