// Builds dist/: TypeScript with plain tsc, file for file, the AssemblyScript kernels to WebAssembly, and the recipes as they are.
// Incremental, and safe beside a running test: what is up to date stays, and outputs whose source is gone are removed.
// `--clean` starts from an empty dist/, as before packing.
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
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

// Recipes are read at run time, beside the code that reads them.
const recipes = join(root, 'src', 'recipes');
mkdirSync(join(dist, 'recipes'), { recursive: true });
for (const name of readdirSync(recipes).filter((file) => file.endsWith('.yaml'))) {
  const copy = join(dist, 'recipes', name);
  if (existsSync(copy) && statSync(copy).mtimeMs >= statSync(join(recipes, name)).mtimeMs) continue;
  copyFileSync(join(recipes, name), `${copy}.${process.pid}.partial`);
  renameSync(`${copy}.${process.pid}.partial`, copy);
}

runBin('typescript/bin/tsc', ['-p', 'tsconfig.build.json']);

for (const file of filesBelow(dist)) {
  if (file.endsWith('.yaml') && !existsSync(join(root, 'src', file))) rmSync(join(dist, file), { force: true });
  const source = file.match(/^(.*?)(\.d\.ts|\.js|\.wasm)(\.map)?$/)?.[1];
  if (source === undefined || file.startsWith('ui/')) continue;
  const origin = file.endsWith('.wasm') ? source.replace('compute/kernels/', 'compute/kernels/assembly/') : source;
  if (!existsSync(join(root, 'src', `${origin}.ts`))) rmSync(join(dist, file), { force: true });
}
writeFileSync(join(dist, '.built'), `${new Date().toISOString()}\n`);
