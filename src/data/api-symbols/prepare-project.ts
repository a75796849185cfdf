/**
 * Finds documented API symbols to learn from: those of a project's own packages, or, where it has too few or no usable
 * `typescript`, those of `typescript` and `@types/node`, installed by npm into a temporary folder that is removed again.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LexrayError, throwIfAborted } from '../../util/errors.ts';
import { type ExtractedSymbols, type ExtractOptions, extractApiSymbols } from './extract.ts';

/** Options of {@link prepareProject}. */
export interface PrepareProjectOptions extends ExtractOptions {
  /** A project with fewer documented symbols is not used. @default 4000 */
  readonly minSymbols?: number;
  /** What is installed instead, as npm names it. @default typescript and @types/node, exact versions */
  readonly packages?: readonly string[];
}

/** Symbols to learn from. */
export interface PreparedProject extends ExtractedSymbols {
  /** Where they come from: the project's packages, or packages installed for the purpose (and removed again). */
  readonly source: 'project' | 'installed';
}

/** The packages that stand in for a project: exact versions, so that the task is the same everywhere. */
export const standInPackages: readonly string[] = ['typescript@6.0.3', '@types/node@20.19.0'];

/**
 * Extracts the symbols of a project, or of the stand-in packages.
 * @param folder the project
 * @throws LexrayError NETWORK when packages are needed and npm cannot install them, INTERRUPTED
 */
export async function prepareProject(folder: string, options: PrepareProjectOptions = {}): Promise<PreparedProject> {
  const { minSymbols = 4000, packages = standInPackages } = options;
  try {
    const own = await extractApiSymbols(folder, options);
    if (own.symbols.length >= minSymbols) return { ...own, source: 'project' };
    options.onWarning?.(
      `the packages of this project document ${own.symbols.length} symbols, fewer than ${minSymbols}: ` +
        `${packages.join(' and ')} are used instead`,
    );
  } catch (error) {
    if (!(error instanceof LexrayError) || error.code !== 'BAD_INPUT') throw error;
    options.onWarning?.(`${error.message}: ${packages.join(' and ')} are used instead`);
  }
  const temporary = await mkdtemp(join(tmpdir(), 'lexray-'));
  try {
    options.onProgress?.({ phase: `install ${packages.join(' ')}`, done: 0, total: 1, unit: 'installations' });
    await installPackages(temporary, packages, options.signal);
    options.onProgress?.({ phase: `install ${packages.join(' ')}`, done: 1, total: 1, unit: 'installations' });
    return { ...(await extractApiSymbols(temporary, options)), source: 'installed' };
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function installPackages(folder: string, packages: readonly string[], signal?: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const args = [
    'install',
    '--prefix',
    folder,
    '--global=false',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--loglevel=error',
    ...packages,
  ];
  const { code, output } = await runNpm(args, folder, signal);
  if (code !== 0) {
    throw new LexrayError('NETWORK', `npm could not install ${packages.join(' ')}: ${firstErrors(output)}`, {
      cure: 'check the connection to the npm registry, or run this in a project that has typescript@6 installed',
    });
  }
}

function runNpm(
  args: readonly string[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<{ code: number | null; output: string }> {
  // Inside `npm run` and `npx`, this is the script of the npm that runs; it needs no shell, on Windows neither.
  const script = process.env.npm_execpath;
  const viaNode = script !== undefined && /npm-cli\.[cm]?js$/.test(script) && existsSync(script);
  const child = spawn(viaNode ? process.execPath : 'npm', viaNode ? [script, ...args] : args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: !viaNode && process.platform === 'win32',
    ...(signal ? { signal } : {}),
  });
  return new Promise((resolve, reject) => {
    let output = '';
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-8000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (cause) => {
      if (signal?.aborted) reject(new LexrayError('INTERRUPTED', 'interrupted', { cause }));
      else reject(new LexrayError('NETWORK', `npm cannot be run: ${cause.message}`, { cause, cure: 'install npm' }));
    });
    child.on('close', (code) => {
      if (!signal?.aborted) resolve({ code, output });
    });
  });
}

function firstErrors(output: string): string {
  const lines = output.split('\n').map((line) => line.replace(/^npm (?:error|ERR!)\s*/, '').trim());
  return (
    lines
      .filter((line) => line !== '')
      .slice(0, 4)
      .join('; ') || 'it said nothing'
  );
}
