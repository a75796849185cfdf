/** The last line of continuous integration counts what vitest and the checks before it left, and a crash as a failure. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../scripts/count-results.mjs', import.meta.url));
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-results-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const passing = { status: 'passed', fullName: 'adds' };
const failing = { status: 'failed', fullName: 'divides', failureMessages: ['expected 1 to be 2\n at x'] };
const skipped = { status: 'skipped', fullName: 'needs a GPU' };

async function count(
  results: unknown,
  { house = { failed: [] as string[] }, exitCode = '0', suites = [] as string[] } = {},
): Promise<{ code: number; lines: string[] }> {
  if (results !== undefined) await writeFile(join(folder, 'results.json'), JSON.stringify(results));
  await writeFile(join(folder, 'house.json'), JSON.stringify(house));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, folder, exitCode, ...suites], (error, stdout) => {
      resolve({ code: error === null ? 0 : Number(error.code), lines: stdout.trimEnd().split('\n') });
    });
  });
}

it('counts what passed', async () => {
  const results = { testResults: [{ status: 'passed', name: 'a', assertionResults: [passing, passing, skipped] }] };
  expect(await count(results)).toEqual({ code: 0, lines: ['2 passed, 0 failed'] });
});

it('names what failed', async () => {
  const results = { testResults: [{ status: 'failed', name: 'a', assertionResults: [passing, failing] }] };
  const { code, lines } = await count(results, { exitCode: '1' });
  expect(code).toBe(1);
  expect(lines[0]).toContain('divides: expected 1 to be 2');
  expect(lines.at(-1)).toBe('1 passed, 1 failed');
});

it('counts a file that did not load, once', async () => {
  const results = {
    testResults: [
      { status: 'passed', name: 'a', assertionResults: [passing] },
      { status: 'failed', name: 'b', assertionResults: [], message: 'SyntaxError' },
    ],
  };
  expect((await count(results, { exitCode: '1' })).lines.at(-1)).toBe('1 passed, 1 failed');
});

it.each([
  ['no result at all', undefined, { exitCode: '0' }, '0 passed, 1 failed'],
  ['a result that is no object', 'x', { exitCode: '1' }, '0 passed, 1 failed'],
  ['an exit code without a failed test', { testResults: [] }, { exitCode: '137' }, '0 passed, 1 failed'],
  [
    'a failed check',
    { testResults: [] },
    { exitCode: '1', house: { failed: ['types', 'lint'] } },
    '0 passed, 2 failed',
  ],
  ['a failed suite', { testResults: [] }, { suites: ['test:ui=0', 'test:soak=1'] }, '1 passed, 1 failed'],
])('counts %s', async (_title, results, options, last) => {
  const { code, lines } = await count(results, options);
  expect({ code, last: lines.at(-1) }).toEqual({ code: 1, last });
});
