/** How the program is called: help, unknown words with a suggestion, and where settings come from. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verbs } from '../../src/cli/registry.ts';
import { flagName } from '../../src/cli/settings.ts';
import { lexray, temporaryFolder } from './run-lexray.ts';

let folder = '';
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(at('qrels'), 'q1 0 a 1\n');
  await writeFile(at('run'), 'q1 Q0 b 1 2 t\nq1 Q0 a 2 1 t\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('help and version', () => {
  it('lists every verb', async () => {
    const { code, stdout, stderr } = await lexray(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const unwrapped = stdout.replaceAll(/\n {12,}/g, ' ');
    for (const { name, summary } of verbs) {
      expect(
        unwrapped.split('\n').some((line) => line.trim().startsWith(`${name} `) && line.endsWith(summary)),
        name,
      ).toBe(true);
    }
  });

  it('shows help, as an error, when nothing is asked', async () => {
    const { code, stdout, stderr } = await lexray([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: lexray VERB');
  });

  it('names every argument and option of a verb', async () => {
    const { code, stdout } = await lexray(['evaluate', '--help']);
    expect(code).toBe(0);
    const verb = verbs.find(({ name }) => name === 'evaluate')!;
    for (const name of Object.keys(verb.options)) expect(stdout).toContain(`  ${flagName(name)} `);
    for (const flag of ['--config', '--dry-run', '--seed', '--threads', '--json', '--quiet']) {
      expect(stdout).toContain(flag);
    }
    expect(stdout).toContain('Examples:');
    expect((await lexray(['help', 'evaluate'])).stdout).toBe(stdout);
  });

  it('is described in docs/cli.md, every option of every verb', async () => {
    const text = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8');
    const missing = verbs.flatMap(({ name, options }) => {
      const start = text.search(new RegExp(`\n## lexray ${name}\\b`));
      if (start === -1) return [name];
      const section = text.slice(start, text.indexOf('\n## ', start + 1) >>> 0);
      return Object.keys(options)
        .filter((option) => !section.includes(`\`${flagName(option)}`))
        .map((option) => `${name} ${flagName(option)}`);
    });
    expect(missing).toEqual([]);
  });
});

describe('wrong usage ends with exit code 2, one line, and a cure', () => {
  it.each([
    ['an unknown verb', ['serach'], "error: unknown verb 'serach' cure: did you mean search?"],
    ['a verb far from all', ['xyzzy'], "error: unknown verb 'xyzzy' cure: lexray --help lists the verbs"],
    ['an unknown option', ['measure', '--mn', 'x'], "error: unknown option '--mn' cure: did you mean --min?"],
    ['help of an unknown verb', ['help', 'mesure'], "error: unknown verb 'mesure' cure: did you mean measure?"],
    [
      'an option before the verb',
      ['--json', 'doctor'],
      "error: unknown option '--json' cure: options stand behind the verb",
    ],
    ['a missing argument', ['measure', 'qrels'], 'error: missing RUN: TREC run cure: lexray measure --help'],
    ['a missing option', ['evaluate', 'model'], 'error: missing --data: BEIR folder'],
    ['a missing output', ['index', 'vectors'], 'error: missing --output: folder to write the index to'],
    ['too many arguments', ['index', 'a', 'b', '-o', 'c'], "error: too many arguments for 'index'"],
    [
      'a word where a number belongs',
      ['search', 'a', 'b', '-o', 'c', '--k', 'ten'],
      'error: --k: expected a number, got "ten" cure: ',
    ],
    [
      'a number out of range',
      ['search', 'a', 'b', '-o', 'c', '--k', '0'],
      'error: --k: expected at least 1, got 0 cure: ',
    ],
    [
      'half a document',
      ['search', 'a', 'b', '-o', 'c', '--k', '1.5'],
      'error: --k: expected a whole number, got 1.5 cure: ',
    ],
    [
      'an empty list of measures',
      ['evaluate', 'model', '--data', 'data', '--measures', ','],
      'error: --measures: expected something that is not empty, got []',
    ],
    ['an empty output', ['index', 'a', '-o', ''], 'error: --output: expected something that is not empty, got ""'],
    ['an option without its value', ['search', 'a', 'b', '-o'], "error: option '-o, --output <FILE>' argument missing"],
    [
      'an unknown choice',
      ['encode', 'm', 'i', '-o', 'v', '--kind', 'passage'],
      'error: --kind: expected document or query, got "passage"',
    ],
    ['a measure without its cutoff', ['measure', 'qrels', 'run', 'P'], 'error: P needs a cutoff, as in P@10 cure: '],
    ['a measure of no kind', ['measure', 'qrels', 'run', 'foo@10'], 'error: there is no measure "foo@10" cure: '],
    [
      'pre-training of nothing',
      ['pretrain', 'texts.txt', '-o', 'm'],
      'error: expected either --model or --new cure: give a model',
    ],
    [
      'the start of attention of a model that is trained already',
      ['pretrain', 'texts.txt', '--model', 'm', '--attention-start', 'random', '-o', 'n'],
      'error: --attention-start is for a new model, and --model has its own cure: ',
    ],
    ['a gate without a value', ['measure', 'qrels', 'run', '--min', 'RR@10'], 'error: --min: expected MEASURE=VALUE'],
  ])('%s', async (_title, args, message) => {
    const { code, stdout, stderr } = await lexray(args, { cwd: folder });
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(' cure: ');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('gates', () => {
  it('are passed in silence', async () => {
    const { code, stderr } = await lexray(['measure', 'qrels', 'run', 'RR@10', '--min', 'RR@10=0.5'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('end with exit code 5 after the result, when missed', async () => {
    const args = ['measure', 'qrels', 'run', 'RR@10', '--min', 'nDCG@10=0.9', '--min', 'RR@10=0.2', '--json'];
    const { code, stdout, stderr } = await lexray(args, { cwd: folder });
    expect(code).toBe(5);
    expect(stderr).toMatch(/^error: nDCG@10 is 0\.6309, at least 0\.9 wanted\n$/);
    expect(JSON.parse(stdout)).toMatchObject({
      measures: { 'RR@10': 0.5 },
      gates: [
        { measure: 'nDCG@10', least: 0.9, passed: false },
        { measure: 'RR@10', least: 0.2, passed: true },
      ],
    });
  });
});

describe('settings', () => {
  const measured = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string[]> => {
    const { code, stdout, stderr } = await lexray(['measure', ...args, '--json'], { cwd: folder, env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return Object.keys((JSON.parse(stdout) as { measures: object }).measures);
  };

  it('flags win over environment over config file over defaults', async () => {
    await writeFile(at('min.yaml'), 'measure:\n  min: [R@1=0]\n');
    expect(await measured(['qrels', 'run', 'AP'])).toEqual(['AP']);
    expect(await measured(['qrels', 'run', 'AP', '-c', 'min.yaml'])).toEqual(['AP', 'R@1']);
    expect(await measured(['qrels', 'run', 'AP', '-c', 'min.yaml'], { LEXRAY_MIN: 'R@2=0' })).toEqual(['AP', 'R@2']);
    const args = ['qrels', 'run', 'AP', '-c', 'min.yaml', '--min', 'R@3=0', '--min', 'R@4=0,R@5=0'];
    expect(await measured(args, { LEXRAY_MIN: 'R@2=0' })).toEqual(['AP', 'R@3', 'R@4', 'R@5']);
  });

  it('arguments and shared settings may stand in the config file, which the environment may name', async () => {
    await writeFile(
      at('all.yaml'),
      'seed: 7\nmeasure:\n  qrels: qrels\n  run: run\n  measures: [AP]\nencode:\n  kind: x\n',
    );
    expect(await measured([], { LEXRAY_CONFIG: 'all.yaml' })).toEqual(['AP']);
  });

  it('a switch of the config file can be turned off', async () => {
    await writeFile(at('switch.yaml'), 'per-query: true\n');
    const text = await lexray(['measure', 'qrels', 'run', 'AP', '-c', 'switch.yaml'], { cwd: folder });
    expect(text.stdout).toBe('q1\tAP\t0.5000\nall\tAP\t0.5000\n');
    const off = await lexray(['measure', 'qrels', 'run', 'AP', '-c', 'switch.yaml', '--no-per-query'], { cwd: folder });
    expect(off.stdout).toBe('AP\t0.5000\n');
  });

  it.each([
    [
      'an unknown key',
      'perquery: true\n',
      'unknown key "perquery" for measure (bad.yaml) cure: did you mean "perQuery"?',
    ],
    ['an unknown key in a section', 'measure:\n  k: 3\n', 'unknown key "k" for measure (bad.yaml: measure)'],
    ['a value of another type', 'perQuery: often\n', 'bad.yaml: perQuery: expected true or false, got "often"'],
    ['a list where a section belongs', 'measure: [1]\n', 'expected a mapping under "measure"'],
    ['no mapping', '- 1\n', 'expected a mapping of settings'],
    ['no YAML', 'a: [1\n', 'the config file is not YAML'],
    ['a key twice', 'seed: 1\nseed: 2\n', 'the config file is not YAML'],
    ['entities that blow up', bomb(), 'the config file is not YAML'],
  ])('%s in a config file ends with exit code 2', async (_title, content, message) => {
    await writeFile(at('bad.yaml'), content);
    const { code, stdout, stderr } = await lexray(['measure', 'qrels', 'run', '-c', 'bad.yaml'], { cwd: folder });
    expect(stderr).toContain(message);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it.each([
    ['a config file that is not there', ['-c', 'absent.yaml'], {}, 'cannot read the config file'],
    ['a number in the environment that is none', [], { LEXRAY_SEED: 'x' }, 'LEXRAY_SEED: '],
    ['a switch in the environment that is none', [], { LEXRAY_PER_QUERY: 'often' }, 'LEXRAY_PER_QUERY: '],
  ])('%s ends with exit code 2', async (_title, args, env, message) => {
    const { code, stderr } = await lexray(['measure', 'qrels', 'run', ...args], { cwd: folder, env });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

function bomb(): string {
  const levels = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [i, name] of [...'bcdefghi'].entries()) {
    const below = `*${'abcdefgh'[i]}`;
    levels.push(`${name}: &${name} [${Array(9).fill(below).join(', ')}]`);
  }
  return `${levels.join('\n')}\n`;
}
