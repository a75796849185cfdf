import { expect, test } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { measureFamilies, parseMeasure } from './parse-measure.ts';

test.each([
  ['nDCG@10', 'nDCG@10'],
  ['ndcg@10', 'nDCG@10'],
  ['MRR@10', 'RR@10'],
  ['RR', 'RR'],
  ['R(rel=2)@1000', 'R(rel=2)@1000'],
  ['recall( rel = 1 )@5', 'R@5'],
  ['MAP', 'AP'],
  ['judged@10', 'Judged@10'],
  ['Judged@10', 'Judged@10'],
  [' P@5 ', 'P@5'],
])('%j is %s', (given, name) => {
  expect(parseMeasure(given).name).toBe(name);
});

test.each([
  ['ERR@10', /no measure "ERR@10"/],
  ['', /no measure ""/],
  ['nDCG@', /no measure/],
  ['nDCG@-1', /no measure/],
  ['nDCG@1.5', /no measure/],
  ['nDCG@9999999999', /no measure/],
  ['R', /R needs a cutoff, as in R@10/],
  ['P(rel=2)', /P needs a cutoff/],
  ['nDCG@0', /at least 1, got 0/],
  ['R(rel=0)@5', /rel of R must be an integer of at least 1/],
  ['nDCG(rel=2)@5', /nDCG takes no rel/],
  ['Judged(rel=2)@5', /Judged takes no rel/],
])('refuses %j', (given, message) => {
  const attempt = (): unknown => parseMeasure(given);
  expect(attempt).toThrow(LexrayError);
  expect(attempt).toThrow(message);
});

test('the error lists what is known', () => {
  try {
    parseMeasure('bpref');
    expect.unreachable();
  } catch (error) {
    expect(error).toMatchObject({
      code: 'USAGE',
      cure: 'known are nDCG[@k], RR[(rel=n)][@k], R[(rel=n)]@k, P[(rel=n)]@k, AP[(rel=n)][@k], Judged[@k]',
    });
  }
});

test('values by hand: grades 0, 2, not judged, 1 returned, and a document of grade 3 not found', () => {
  const ranking = { ranked: [0, 2, undefined, 1], judged: [0, 2, 1, 3, -1] };
  const value = (name: string): number => parseMeasure(name).compute(ranking);
  const ideal = 3 + 2 / Math.log2(3) + 1 / 2;
  expect(value('nDCG@10')).toBeCloseTo((2 / Math.log2(3) + 1 / Math.log2(5)) / ideal, 15);
  expect(value('nDCG@2')).toBeCloseTo(2 / Math.log2(3) / (3 + 2 / Math.log2(3)), 15);
  expect(value('RR@10')).toBe(1 / 2);
  expect(value('RR@1')).toBe(0);
  expect(value('R@4')).toBe(2 / 3);
  expect(value('R(rel=2)@4')).toBe(1 / 2);
  expect(value('P@10')).toBe(2 / 10);
  expect(value('AP')).toBe((1 / 2 + 2 / 4) / 3);
  expect(value('AP@2')).toBe(1 / 2 / 3);
  expect(value('Judged@10')).toBe(3 / 4);
  expect(value('Judged@2')).toBe(1);
});

test('names do not clash', () => {
  const names = measureFamilies.flatMap((family) => family.names.map((name) => name.toLowerCase()));
  expect(new Set(names).size).toBe(names.length);
});
