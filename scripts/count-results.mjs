// Prints what failed in a test run and, as its last line, `N passed, N failed`; exits with 1 when anything failed.
// Reads .vitest/results.json of vitest and .vitest/house.json of scripts/test.mjs. A test file that did not load, a failed
// check and a run that left no result each count as one failure.
// Usage: node scripts/count-results.mjs FOLDER EXIT_CODE [LABEL=EXIT_CODE …] with the folder of the results and the
// exit codes of npm test and of the slow suites.
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function read(folder, name) {
  try {
    return JSON.parse(readFileSync(join(folder, name), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Counts of one run, with a line for each failure. */
function countResults(results, house, exitCode) {
  const failures = [];
  let passed = 0;
  for (const file of results?.testResults ?? []) {
    const tests = file.assertionResults ?? [];
    const name = relative(root, file.name ?? '');
    const failing = tests.filter((test) => test.status === 'failed');
    passed += tests.filter((test) => test.status === 'passed').length;
    for (const test of failing) {
      const message = (test.failureMessages ?? []).join('\n').split('\n').slice(0, 3).join(' | ');
      failures.push(`${name}: ${test.fullName}: ${message}`);
    }
    if (file.status === 'failed' && failing.length === 0) {
      failures.push(`${name}: did not run: ${(file.message ?? '').split('\n')[0]}`);
    }
  }
  for (const name of house?.failed ?? []) failures.push(`check: ${name}`);
  if (results === undefined) failures.push('vitest left no result');
  if (exitCode !== 0 && failures.length === 0) failures.push(`npm test ended with exit code ${exitCode}`);
  return { passed, failures };
}

const [folder = '.vitest', exitCode = '1', ...suites] = process.argv.slice(2);
const { passed, failures } = countResults(read(folder, 'results.json'), read(folder, 'house.json'), Number(exitCode));
let suitesPassed = 0;
for (const suite of suites) {
  const [label, code] = suite.split('=');
  if (code === '0') suitesPassed++;
  else failures.push(`suite ${label} ended with exit code ${code}`);
}
for (const failure of failures) console.log(`FAILED ${failure}`);
console.log(`${passed + suitesPassed} passed, ${failures.length} failed`);
process.exit(failures.length > 0 ? 1 : 0);
