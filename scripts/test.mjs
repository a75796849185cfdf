// npm test: sets up what is missing, then type-checks, lints and runs every fast test.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, runBin, setUp } from './setup.mjs';

setUp();
const only = process.argv.slice(2);
if (only.length === 0) {
  runBin('typescript/bin/tsc', ['-p', 'tsconfig.json']);
  runBin('@biomejs/biome/bin/biome', ['check', '.']);
}
mkdirSync(join(root, '.vitest'), { recursive: true });
runBin('vitest/vitest.mjs', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join('.vitest', 'results.json')}`,
  ...only,
]);
