import { expect, test } from 'vitest';
import { findLeakage, normalizeText } from './find-leakage.ts';

test('texts are the same after NFKC, lower case and blanks', () => {
  expect(normalizeText('  Ｈｅllo\u00a0 \tWORLD\n')).toBe('hello world');
  expect(normalizeText('cafe\u0301 ﬁn')).toBe('café fin');
});

test('counts repetitions in the training texts, and different test texts', () => {
  const warnings: string[] = [];
  const leakage = findLeakage(
    ['What is X?', 'other', 'what  is x?', 'b', ''],
    ['what is x?', 'WHAT IS X?', 'b', 'c', ' '],
    {
      what: 'queries',
      onWarning: (message) => warnings.push(message),
    },
  );
  expect(leakage).toEqual({ trainingCount: 3, testCount: 2, testTotal: 3, examples: ['What is X?', 'b'] });
  expect(warnings).toEqual([
    '2 of 3 test queries are also training queries, so the test is too easy: "What is X?", "b"',
  ]);
});

test('is quiet when nothing is shared', () => {
  const leakage = findLeakage(['a', ''], ['b', ''], { onWarning: () => expect.unreachable() });
  expect(leakage).toEqual({ trainingCount: 0, testCount: 0, testTotal: 1, examples: [] });
});

test('names at most as many examples as asked for', () => {
  const texts = ['a', 'b', 'c', 'd'];
  expect(findLeakage(texts, texts, { maxExamples: 2 })).toMatchObject({ testCount: 4, examples: ['a', 'b'] });
});
