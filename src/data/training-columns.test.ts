import { describe, expect, it } from 'vitest';
import { detectColumns } from './training-columns.ts';

/** The records of a file: query, positives, negatives, scores; undefined for lines that hold none. */
function read(...texts: string[]) {
  const lines = texts.map((text, i) => ({ number: i + 1, text: text.replaceAll(' | ', '\t') }));
  const { hasHeader, parse } = detectColumns(lines);
  return lines.slice(hasHeader ? 1 : 0).map(({ text }, i) => {
    const record = parse(text, `line ${i + 1}`);
    if (record === undefined) return undefined;
    const { query, positives, negatives, positiveScores, negativeScores } = record;
    return [query, positives[0], negatives, positiveScores && [...positiveScores, ...negativeScores!]];
  });
}

describe('the layout of a TSV file', () => {
  it.each<[string, string[], unknown[]]>([
    [
      'pairs',
      ['q | p', 'r | s'],
      [
        ['q', 'p', [], undefined],
        ['r', 's', [], undefined],
      ],
    ],
    [
      'triples and more',
      ['q | p | n', 'r | s | n | m'],
      [
        ['q', 'p', ['n'], undefined],
        ['r', 's', ['n', 'm'], undefined],
      ],
    ],
    [
      'ids',
      ['1 | 2 | 3', '4 | 5 | 6'],
      [
        ['1', '2', ['3'], undefined],
        ['4', '5', ['6'], undefined],
      ],
    ],
    [
      'ids, several negatives',
      ['1 | 2 | 3 | 4', '1 | 2 | 5 | 7'],
      [
        ['1', '2', ['3', '4'], undefined],
        ['1', '2', ['5', '7'], undefined],
      ],
    ],
    ['ids, four negatives', ['1 | 2 | 3 | 4 | 5 | 6'], [['1', '2', ['3', '4', '5', '6'], undefined]]],
    ['scores of both documents (naver)', ['q | p | n | 9.5 | -2'], [['q', 'p', ['n'], [9.5, -2]]]],
    ['integer scores behind texts', ['q | p | n | 3 | 1'], [['q', 'p', ['n'], [3, 1]]]],
    [
      'scores by id',
      ['1 | 2 | 3 | 9.5 | 2', '1 | 2 | 4 | 9 | 1'],
      [
        ['1', '2', ['3'], [9.5, 2]],
        ['1', '2', ['4'], [9, 1]],
      ],
    ],
    ['scores of two negatives', ['q | p | n | m | 3 | 2 | 1'], [['q', 'p', ['n', 'm'], [3, 2, 1]]]],
    [
      'a margin',
      ['q | p | n | 4.5', 'q | p | m | 0'],
      [
        ['q', 'p', ['n'], [0, -4.5]],
        ['q', 'p', ['m'], [0, 0]],
      ],
    ],
    [
      'a margin by id',
      ['1 | 2 | 3 | 4.5', '1 | 2 | 4 | 1e-3'],
      [
        ['1', '2', ['3'], [0, -4.5]],
        ['1', '2', ['4'], [0, -0.001]],
      ],
    ],
    ['margins of two negatives', ['q | p | n | m | 4 | 6'], [['q', 'p', ['n', 'm'], [0, -4, -6]]]],
    [
      'scores first (Hofstätter)',
      ['9.25 | 2 | 11 | 12 | 13', '8 | 1.5 | 11 | 12 | 14'],
      [
        ['11', '12', ['13'], [9.25, 2]],
        ['11', '12', ['14'], [8, 1.5]],
      ],
    ],
    ['scores first, with texts', ['9.25 | -2 | q | p | n'], [['q', 'p', ['n'], [9.25, -2]]]],
    [
      'judgements',
      ['1 | 0 | 7 | 1', '1 | 0 | 8 | 0', '2 | 0 | 7 | 2'],
      [['1', '7', [], undefined], undefined, ['2', '7', [], undefined]],
    ],
    [
      'BEIR judgements',
      ['query-id | corpus-id | score', 'a | b | 1', 'a | c | 0'],
      [['a', 'b', [], undefined], undefined],
    ],
    ['a header', ['anchor | positive | negative | score', 'q | p | n | 2'], [['q', 'p', ['n'], [0, -2]]]],
    ['a header in another order', ['negative_1 | Query | Positive', 'n | q | p'], [['q', 'p', ['n'], undefined]]],
    [
      'a number among texts',
      ['q | p | 1984', 'r | s | n'],
      [
        ['q', 'p', ['1984'], undefined],
        ['r', 's', ['n'], undefined],
      ],
    ],
    [
      'a first line that only looks like a header',
      ['query | positive thinking', 'q | p'],
      [
        ['query', 'positive thinking', [], undefined],
        ['q', 'p', [], undefined],
      ],
    ],
  ])('%s', (_title, lines, records) => {
    expect(read(...lines)).toEqual(records);
  });

  it.each<[string, string[], RegExp]>([
    [
      'a column too few',
      ['q | p | n | 1.5 | 2.5', 'q | p | n | 1.5'],
      /expected 5 columns as in the first lines, got 4/,
    ],
    ['one column', ['q | p', 'only'], /at least 2 columns parted by tabs, got 1/],
    ['an empty column', ['q | p | n', 'q |  | n'], /column 2 of 3 is empty/],
    ['a row unlike the header', ['query | positive', 'q | p | n'], /expected 2 columns as in the header, got 3/],
    ['a label of 0', ['query | positive | label', 'q | p | 0'], /has the label 0: its document is not relevant/],
    [
      'a score in a header file that is none',
      ['query | positive | negative | score', 'q | p | n | high'],
      /expected numbers as scores/,
    ],
  ])('refuses %s', (_title, lines, message) => {
    expect(() => read(...lines)).toThrow(message);
  });

  it('refuses what differs behind the lines that told the layout', () => {
    const { parse } = detectColumns([{ number: 1, text: 'q\tp\tn\t1.5\t2' }]);
    expect(() => parse('q\tp\tn\t1.5', 'x:200')).toThrow(/expected 5 columns as in the first lines, got 4/);
    expect(() => parse('q\tp\tn\tnan\t2', 'x:200')).toThrow(/number as score in column 4, got "nan"/);
  });
});
