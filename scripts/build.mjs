// Builds dist/: TypeScript with plain tsc, file for file, and the AssemblyScript kernels to WebAssembly.
// Incremental, and safe beside a running test: what is up to date stays, and outputs whose source is gone are removed.
// `--clean` starts from an empty dist/, as before packing.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, root, runBin } from './setup.mjs';

const dist = join(root, 'dist');
if (process.argv.includes('--clean')) rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const assembly = join(root, 'src', 'compute', 'kernels', 'assembly');
const kernels = existsSync(assembly) ? readdirSync(assembly).filter((name) => name.endsWith('.ts')) : [];
const newestKernelSource = Math.max(0, ...kernels.map((name) => statSync(join(assembly, name)).mtimeMs));
for (const name of kernels) {
  const output = join(dist, 'compute', 'kernels', name.replace(/\.ts$/, '.wasm'));
  // A kernel may import another, so that any newer source is a reason to build.
  if (existsSync(output) && statSync(output).mtimeMs > newestKernelSource) continue;
  const unfinished = `${output}.${process.pid}.partial`;
  runBin('assemblyscript/bin/asc.js', [
    join(assembly, name),
    '--outFile',
    unfinished,
    '--runtime',
    'stub',
    '--importMemory',
    '--enable',
    'simd',
    '--noAssert',
    '-O3',
    '--converge',
  ]);
  renameSync(unfinished, output);
}

runBin('typescript/bin/tsc', ['-p', 'tsconfig.build.json']);

for (const file of filesBelow(dist)) {
  const source = file.match(/^(.*?)(\.d\.ts|\.js|\.wasm)(\.map)?$/)?.[1];
  if (source === undefined || file.startsWith('ui/')) continue;
  const origin = file.endsWith('.wasm') ? source.replace('compute/kernels/', 'compute/kernels/assembly/') : source;
  if (!existsSync(join(root, 'src', `${origin}.ts`))) rmSync(join(dist, file), { force: true });
}
writeFileSync(join(dist, '.built'), `${new Date().toISOString()}\n`);
