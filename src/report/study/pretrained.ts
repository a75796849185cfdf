/** What is seen of the pre-trained model of each cell, before fine-tuning: means over pre-trainings with t intervals. */
import { estimateCell, formatNumber, type Table } from '../table.ts';
import { levelsLabel, type ReportStudy } from './data.ts';

/** Figures that are shown, with their decimals; the others are in the results. */
const shown: readonly (readonly [name: string, title: string, decimals: number])[] = [
  ['loss', 'loss', 3],
  ['accuracy', 'accuracy', 3],
  ['logit_score_std', 'spread of logits', 3],
  ['non_neg_terms_avg', 'terms not below 0', 0],
];

/** A table of the cells that were pre-trained; nothing where none was. */
export function pretrainedTable({ cells, factors }: ReportStudy): readonly Table[] {
  const made = cells.filter(({ figures }) => Object.keys(figures).some((name) => name.startsWith('mlm ')));
  if (made.length === 0) return [];
  const all = Object.keys(made[0]!.figures);
  const columns = all.flatMap((name) => {
    const [, heldOut, figure] = /^mlm (\S+) (\S+)$/.exec(name) ?? [];
    const found = shown.find(([one]) => one === figure);
    return found === undefined ? [] : [{ name, label: `${heldOut}: ${found[1]}`, decimals: found[2] }];
  });
  const last = 'lastFifth';
  return [
    {
      caption:
        'Pre-trained models on held-out texts: means over pre-trainings with 95 % t intervals; last, by how much loss fell over the last fifth of the steps',
      columns: [
        { label: 'Cell' },
        { label: 'Seeds', align: 'right' },
        ...columns.map(({ label }) => ({ label, align: 'right' as const })),
        { label: 'Loss, last fifth', align: 'right' },
      ],
      rows: made.map((cell) => [
        levelsLabel(cell.levels, Object.keys(factors)) || 'all',
        String(cell.seeds.length),
        ...columns.map(({ name, decimals }) =>
          estimateCell(cell.figures[name], { format: (value) => formatNumber(value, decimals) }),
        ),
        estimateCell(cell.figures[last], { format: (value) => `${formatNumber(100 * value, 2)} %` }),
      ]),
    },
  ];
}
