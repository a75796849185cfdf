/**
 * The state of this installation, one check at a time. Nothing here throws: a check that fails is a finding.
 * The engine is loaded in a process of its own, because a native library that does not fit may take its process down.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { getHeapStatistics } from 'node:v8';
import { z } from 'zod';
import { formatBytes } from './format.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `warning`: something will not work, the rest does; `error`: nothing will. */
  readonly status: 'ok' | 'warning' | 'error';
  readonly found: string;
  /** What to do about it. */
  readonly cure?: string | undefined;
}

/** Schema of a {@link Check}. */
export const checkSchema: z.ZodType<Check> = z.strictObject({
  name: z.string(),
  status: z.enum(['ok', 'warning', 'error']),
  found: z.string(),
  cure: z.string().optional(),
});

const packageFolder = fileURLToPath(new URL('../../', import.meta.url));

/** Looks at everything that Lexray needs. `threads` is the number that would be used. */
export async function checkInstallation(threads: number): Promise<readonly Check[]> {
  return [checkNode(), await checkEngine(), checkKernels(), checkSimd(), checkMemory(), checkThreads(threads)];
}

function checkNode(): Check {
  const found = `${process.versions.node} on ${process.platform}-${process.arch}`;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return { name: 'node', status: 'ok', found };
  return { name: 'node', status: 'error', found, cure: 'install Node 20.19 or newer' };
}

async function checkEngine(): Promise<Check> {
  const name = 'onnxruntime-node';
  const wanted = wantedEngineVersion();
  const cure = `run: ONNXRUNTIME_NODE_INSTALL=skip npm install ${name}@${wanted}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch {
    return {
      name,
      status: 'warning',
      found: 'missing: models cannot be run; index, search, measure and compare work without it',
      cure,
    };
  }
  const version = installedVersion(entry);
  const failure = await loadFailure(entry);
  if (failure !== undefined) {
    return { name, status: 'warning', found: `${version} is installed but does not load: ${failure}`, cure };
  }
  if (version !== wanted) {
    return { name, status: 'warning', found: `${version} loads, but Lexray was tested with ${wanted}`, cure };
  }
  return { name, status: 'ok', found: `${version} loads` };
}

function wantedEngineVersion(): string {
  try {
    const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
      optionalDependencies?: Record<string, string>;
    };
    return manifest.optionalDependencies?.['onnxruntime-node'] ?? 'latest';
  } catch {
    return 'latest';
  }
}

function installedVersion(entry: string): string {
  for (let folder = dirname(entry); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
        string,
        string
      >;
      if (name === 'onnxruntime-node' && version !== undefined) return version;
    } catch {
      // not the package's own folder yet
    }
  }
  return 'an unknown version';
}

/** Why the engine does not load, in one line; undefined when it does. */
function loadFailure(entry: string): Promise<string | undefined> {
  const script = `import(${JSON.stringify(pathToFileURL(entry).href)}).then(({ default: ort, InferenceSession }) => {
    if (typeof (InferenceSession ?? ort.InferenceSession).create !== 'function') throw new Error('no InferenceSession');
  }).catch((error) => { console.error(error.message); process.exit(1); })`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { timeout: 60_000, maxBuffer: 1 << 20 },
      (error, _stdout, stderr) => {
        if (error === null) return resolve(undefined);
        const said = stderr.trim().split('\n')[0] ?? '';
        resolve(said !== '' ? said.slice(0, 300) : (error.signal ?? error.message.split('\n')[0] ?? 'unknown failure'));
      },
    );
  });
}

function checkKernels(): Check {
  const name = 'kernels';
  const cure = 'install lexray again, or run: npm run build';
  const list = (folder: string, ending: string): string[] => {
    try {
      return readdirSync(folder).filter((file) => file.endsWith(ending));
    } catch {
      return [];
    }
  };
  const sources = list(join(packageFolder, 'src', 'compute', 'kernels', 'assembly'), '.ts');
  const folder = join(packageFolder, 'dist', 'compute', 'kernels');
  const built = list(folder, '.wasm');
  const missing = sources.map((file) => file.replace(/\.ts$/, '.wasm')).filter((file) => !built.includes(file));
  if (built.length === 0) return { name, status: 'error', found: 'none is built', cure };
  if (missing.length > 0) return { name, status: 'error', found: `not built: ${missing.join(', ')}`, cure };
  for (const file of built) {
    try {
      if (statSync(join(folder, file)).size > 8 && WebAssembly.validate(readFileSync(join(folder, file)))) continue;
    } catch {
      // unreadable: reported below
    }
    return { name, status: 'error', found: `${file} is damaged or not accepted by this Node`, cure };
  }
  return { name, status: 'ok', found: built.map((file) => file.replace(/\.wasm$/, '')).join(', ') };
}

/** A module with one function that holds a SIMD instruction (`v128.const`, `drop`). */
function checkSimd(): Check {
  const module = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 26, 11,
  ];
  if (WebAssembly.validate(new Uint8Array(module))) return { name: 'wasm simd', status: 'ok', found: 'supported' };
  return {
    name: 'wasm simd',
    status: 'error',
    found: 'not supported by this machine',
    cure: 'use a CPU with SSE4.1 or NEON',
  };
}

function checkMemory(): Check {
  const limit = process.constrainedMemory();
  const total = limit > 0 && limit < totalmem() ? limit : totalmem();
  const heap = getHeapStatistics().heap_size_limit;
  const found = `${formatBytes(total)}, of which ${formatBytes(process.availableMemory())} is free; JavaScript heap up to ${formatBytes(heap)}`;
  if (total >= 2 * 2 ** 30) return { name: 'memory', status: 'ok', found };
  return { name: 'memory', status: 'warning', found, cure: 'models of the size of BERT-base need about 2 GiB' };
}

function checkThreads(threads: number): Check {
  const available = availableParallelism();
  const found = `${threads} used of ${available} available`;
  if (threads <= available) return { name: 'threads', status: 'ok', found };
  return {
    name: 'threads',
    status: 'warning',
    found,
    cure: `more threads than processors are slower: --threads ${available}`,
  };
}
