// Builds dist/: TypeScript with plain tsc, file for file, and the AssemblyScript kernels to WebAssembly.
// `--clean` starts from an empty dist/, as before packing.
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runBin } from './setup.mjs';

const dist = join(root, 'dist');
if (process.argv.includes('--clean')) rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const assembly = join(root, 'src', 'compute', 'kernels', 'assembly');
const kernels = existsSync(assembly) ? readdirSync(assembly).filter((name) => name.endsWith('.ts')) : [];
for (const name of kernels) {
  const source = join(assembly, name);
  const output = join(dist, 'compute', 'kernels', name.replace(/\.ts$/, '.wasm'));
  if (existsSync(output) && statSync(output).mtimeMs > statSync(source).mtimeMs) continue;
  runBin('assemblyscript/bin/asc.js', [
    source,
    '--outFile',
    output,
    '--runtime',
    'stub',
    '--importMemory',
    '--enable',
    'simd',
    '--noAssert',
    '-O3',
    '--converge',
  ]);
}
runBin('typescript/bin/tsc', ['-p', 'tsconfig.build.json']);
writeFileSync(join(dist, '.built'), `${new Date().toISOString()}\n`);
