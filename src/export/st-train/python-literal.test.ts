import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { pythonLiteral } from './python-literal.ts';

const hasPython = spawnSync('python3', ['--version']).status === 0;

const texts = [
  '',
  'plain',
  '"quotes" and \'these\' and """three"""',
  'back\\slash \\',
  'two\nlines\r\ttab',
  '{name} {0} %s',
  'nul \0 and del \x7f and \u2028',
  '검색 é 🔎',
  '\ud83d alone',
  '"; import os; os.system("true")  # ',
];

describe('pythonLiteral', () => {
  it.each([
    [undefined, 'None'],
    [true, 'True'],
    [false, 'False'],
    [1e-7, '1e-7'],
    [0.05, '0.05'],
    [-3, '-3'],
    ['a"\\\n', '"a\\"\\\\\\u000a"'],
    [['a', 1], '["a", 1]'],
    [[], '[]'],
  ])('%j is %s', (value, literal) => {
    expect(pythonLiteral(value)).toBe(literal);
  });

  it('is printable ASCII on one line', () => {
    for (const text of texts) expect(pythonLiteral(text)).toMatch(/^[ -~]*$/);
  });

  it('refuses numbers without a literal', () => {
    expect(() => pythonLiteral(Number.NaN)).toThrow(RangeError);
    expect(() => pythonLiteral([Number.POSITIVE_INFINITY])).toThrow(RangeError);
  });

  it.skipIf(!hasPython)('is read by Python as the same text (needs python3)', () => {
    const program = `import json; print(json.dumps(${pythonLiteral(texts)}))`;
    const { stdout, status } = spawnSync('python3', ['-c', program], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual(texts);
  });
});
