/**
 * The package as a user gets it: packed, installed into an empty folder without install scripts and without the engine,
 * run, imported and type-checked. Nothing here reads the working tree but the tarball made of it.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tinyModel } from './fixtures/model-folders.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function execute(program: string, args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { cwd, maxBuffer: 1 << 26, shell: program.endsWith('.cmd'), env: { ...process.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

function npm(args: readonly string[], cwd: string): Promise<Outcome> {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) return execute(process.execPath, [cli, ...args], cwd);
  return execute(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, cwd);
}

let folder = '';
let tarball = '';
let packed: readonly string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray package '));
  // dist/ is built already, and building it anew would pull it from under the tests that run beside this one.
  const pack = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root);
  expect(pack.stderr + pack.stdout, 'npm pack').toContain('"filename"');
  const [result] = JSON.parse(pack.stdout) as [{ filename: string; files: { path: string }[] }];
  tarball = join(folder, result.filename);
  packed = result.files.map(({ path }) => path);
  await writeFile(join(folder, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n');
  const flags = ['--ignore-scripts', '--omit=optional', '--prefer-offline', '--no-audit', '--no-fund'];
  const install = await npm(['install', ...flags, tarball], folder);
  expect(install.code, install.stderr).toBe(0);
}, 180_000);

afterAll(async () => {
  if (folder !== '') await rm(folder, { recursive: true, force: true });
});

const lexray = (...args: readonly string[]): Promise<Outcome> =>
  execute(process.execPath, [join(folder, 'node_modules', 'lexray', 'dist', 'cli', 'main.js'), ...args], folder);

describe('the packed package', () => {
  it('holds the program, its sources, kernels and licence, and nothing of the house', () => {
    for (const wanted of [
      'LICENSE',
      'package.json',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'src/index.ts',
      'dist/compute/kernels/search.wasm',
    ]) {
      expect(packed).toContain(wanted);
    }
    const foreign = packed.filter(
      (path) =>
        /\.(test|suite)\./.test(path) ||
        /(^|\/)(test|bench|scripts|docs|node_modules|\.vitest|\.ci)\//.test(path) ||
        !/^(dist|src)\/|^(LICENSE|NOTICE|README\.md|CHANGELOG\.md|package\.json)$/.test(path),
    );
    expect(foreign).toEqual([]);
  });

  it('is one file of JavaScript and of types for each source', () => {
    const outputs = new Set(packed);
    const sources = packed.filter(
      (path) => /^src\/.*(?<!\.d)\.ts$/.test(path) && !path.startsWith('src/compute/kernels/assembly/'),
    );
    const missing = sources
      .map((path) => path.replace(/^src/, 'dist').replace(/\.ts$/, ''))
      .filter((path) => !outputs.has(`${path}.js`) || !outputs.has(`${path}.d.ts`));
    expect(missing).toEqual([]);
    const orphans = packed.filter(
      (path) => /^dist\/.*\.js$/.test(path) && !outputs.has(path.replace(/^dist/, 'src').replace(/\.js$/, '.ts')),
    );
    expect(orphans.filter((path) => !path.startsWith('dist/ui/'))).toEqual([]);
  });

  it('runs by its name', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    const bin = join(folder, 'node_modules', '.bin', process.platform === 'win32' ? 'lexray.cmd' : 'lexray');
    const { code, stdout } = await execute(bin, ['--version'], folder);
    expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: version });
  });

  it('says that the engine is missing, and the cure', async () => {
    const { code, stdout } = await lexray('doctor', '--json');
    expect(code).toBe(0);
    const { ok, checks } = JSON.parse(stdout) as {
      ok: boolean;
      checks: { name: string; status: string; found: string; cure?: string }[];
    };
    expect(ok).toBe(true);
    const engine = checks.find(({ name }) => name === 'onnxruntime-node');
    expect(engine?.status).toBe('warning');
    expect(engine?.found).toContain('missing');
    expect(engine?.cure).toMatch(/^run: ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@\d/);
    expect(checks.filter(({ status }) => status !== 'ok').map(({ name }) => name)).toEqual(['onnxruntime-node']);
  });

  it('measures a run without the engine', async () => {
    await writeFile(join(folder, 'qrels.trec'), 'q1 0 a 1\nq1 0 b 0\nq2 0 c 1\n');
    await writeFile(join(folder, 'run.trec'), 'q1 Q0 b 1 2.0 t\nq1 Q0 a 2 1.0 t\nq2 Q0 c 1 1.0 t\n');
    const { code, stdout, stderr } = await lexray('measure', 'qrels.trec', 'run.trec', 'RR@10', '--json');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ verb: 'measure', queries: 2, measures: { 'RR@10': 0.75 } });
  });

  it('says the same when a model is to be run', async () => {
    await writeFile(join(folder, 'words.txt'), 'rain\n');
    const args = ['encode', tinyModel, 'words.txt', '-o', 'vectors', '--kind', 'query'];
    const { code, stdout, stderr } = await lexray(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^error: .*onnxruntime-node.* cure: .*ONNXRUNTIME_NODE_INSTALL=skip npm install onnxruntime-node@\d.*\n$/,
    );
    expect(await readdir(folder)).not.toContain('vectors');
  });

  it('is imported and type-checked by a strict TypeScript project that has no engine', async () => {
    await writeFile(
      join(folder, 'user.ts'),
      "import { LexrayError, lexrayVersion } from 'lexray';\nconst e: Error = new LexrayError('FAILED', lexrayVersion);\nconsole.log(e.message);\n",
    );
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const nodeTypes = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')];
    const flags = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--outDir', 'out', ...nodeTypes];
    const types = await execute(process.execPath, [tsc, ...flags, 'user.ts'], folder);
    expect(types.stdout).toBe('');
    const { stdout } = await execute(process.execPath, [join('out', 'user.js')], folder);
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('passes publint', async () => {
    const { messages } = await publint({ pkgDir: join(folder, 'node_modules', 'lexray'), pack: false, strict: true });
    const pkg = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('passes "are the types wrong"', async () => {
    const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
    const { code, stdout } = await execute(process.execPath, [attw, tarball, '--profile', 'esm-only'], folder);
    expect(code, stdout).toBe(0);
  });
});

describe('package-lock.json', () => {
  it('names the native packages of every platform and no registry', async () => {
    const text = await readFile(join(root, 'package-lock.json'), 'utf8');
    const { packages } = JSON.parse(text) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${place}/node_modules/${name}` in packages),
      ),
    );
    expect(missing, 'run: node scripts/complete-lock.mjs').toEqual([]);
    expect(text).not.toMatch(/"resolved":/);
  });
});
