import { describe, expect, it } from 'vitest';
import { markdownTable, textTable } from './markdown-table.ts';
import type { Table } from './table.ts';

const table: Table = {
  columns: [{ label: 'System' }, { label: 'RR@10', align: 'right' }],
  rows: [
    ['Lexray', { text: '0.313', note: '[0.295, 0.331]', strong: true }],
    ['a | b\n*c*', '0.2'],
    ['한국어', { text: '0.1' }],
  ],
};

describe('markdownTable', () => {
  it('aligns, escapes and emphasises', () => {
    expect(markdownTable(table)).toBe(
      [
        '| System       |                    RR@10 |',
        '| ------------ | -----------------------: |',
        '| Lexray       | **0.313 [0.295, 0.331]** |',
        '| a \\| b \\*c\\* |                      0.2 |',
        '| 한국어       |                      0.1 |',
        '',
      ].join('\n'),
    );
  });

  it('fills missing cells', () => {
    expect(markdownTable({ columns: [{ label: 'a' }, { label: 'b' }], rows: [['x']] })).toBe(
      '| a   | b   |\n| --- | --- |\n| x   |     |\n',
    );
  });
});

describe('textTable', () => {
  it('aligns without pipes, and lets no control character through', () => {
    expect(textTable({ ...table, rows: [...table.rows, ['\u001b[31mred', '']] })).toBe(
      [
        'System                    RR@10',
        'Lexray     0.313 [0.295, 0.331]',
        'a | b *c*                   0.2',
        '한국어                      0.1',
        '[31mred',
        '',
      ].join('\n'),
    );
  });
});
