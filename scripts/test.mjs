// npm test: sets up what is missing, then type-checks, lints, looks for unused code, and runs every fast test.
// All of it runs even when a part fails; the exit code is 0 only when all passed. With arguments, only vitest runs, with
// these. Results: .vitest/results.json (vitest's own form) and .vitest/house.json (the checks before it).
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binPath, root, setUp, tryRun } from './setup.mjs';

const results = join(root, '.vitest', 'results.json');
const house = join(root, '.vitest', 'house.json');
rmSync(results, { force: true });
rmSync(house, { force: true });
setUp();
mkdirSync(join(root, '.vitest'), { recursive: true });

const checks = [
  { name: 'types', program: 'typescript/bin/tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'lint and format', program: '@biomejs/biome/bin/biome', args: ['check', '.'] },
  { name: 'unused code and dependencies', program: 'knip/bin/knip.js', args: ['--no-progress'] },
];
const only = process.argv.slice(2);
const failed = [];
if (only.length === 0) {
  for (const { name, program, args } of checks) {
    const status = tryRun(process.execPath, [binPath(program), ...args]);
    console.error(`${status === 0 ? '✓' : '✗'} ${name}`);
    if (status !== 0) failed.push(name);
  }
  writeFileSync(house, `${JSON.stringify({ checks: checks.map(({ name }) => name), failed })}\n`);
}
const status = tryRun(process.execPath, [
  binPath('vitest/vitest.mjs'),
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join('.vitest', 'results.json')}`,
  ...only,
]);
if (failed.length > 0) console.error(`failed before the tests: ${failed.join(', ')}`);
process.exit(status !== 0 ? status : failed.length > 0 || !existsSync(results) ? 1 : 0);
