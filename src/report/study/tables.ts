/** The tables of a study, for the page, Markdown and LaTeX. */
import {
  type Cell,
  type Column,
  estimateCell,
  formatDifference,
  formatInterval,
  formatNumber,
  formatPValue,
  noValue,
  type Table,
} from '../table.ts';
import {
  levelsLabel,
  type ReportBestGains,
  type ReportCell,
  type ReportExplored,
  type ReportFamily,
  type ReportRegrets,
  type ReportRule,
  type ReportStudy,
} from './data.ts';
import { correlationTable, predictorTable } from './prediction.ts';
import { pretrainedTable } from './pretrained.ts';
import { panelsOf, shownScores } from './sweep.ts';

const right = (label: string): Column => ({ label, align: 'right' });

/** Every table of a study, in the order of the page. */
export function studyTables(study: ReportStudy): readonly Table[] {
  return [
    ...study.families.map(contrastTable),
    ...exploredTables(study.explored),
    ...study.regrets.flatMap(regretTables),
    ...study.bestGains.map(bestGainTable),
    ...heatTables(study),
    cellsTable(study),
    ...frontierTables(study),
    ...predictionTable(study),
    ...predictorTable(study.predictors),
    ...correlationTable(study.correlations),
    ...pretrainedTable(study),
  ];
}

/** Contrasts with their effects, tests and verdicts. */
export function contrastTable({ name, contrasts, words }: ReportFamily): Table {
  return {
    caption: `Contrasts of the family ${name}: ${words}`,
    columns: [
      { label: 'Claim' },
      { label: 'Measure' },
      right('Effect'),
      right('Two-way bootstrap'),
      right('p, t'),
      right('p, sign flip'),
      right('Seeds above 0'),
      right('Detectable'),
      { label: 'Verdict' },
    ],
    rows: contrasts.map(
      ({
        name: claim,
        claim: sign,
        measure,
        effect,
        bootstrap,
        effectP,
        signFlipP,
        detectable,
        positive,
        seeds,
        verdict,
      }) => [
        sign === 'positive' ? claim : `${claim} (claimed: ${sign})`,
        measure,
        {
          text: formatDifference(effect.mean),
          note: formatInterval(effect, formatDifference),
          strong: effect.low > 0 || effect.high < 0,
        },
        formatInterval(bootstrap, formatDifference),
        formatPValue(effectP),
        formatPValue(signFlipP),
        `${positive} of ${seeds}`,
        Number.isFinite(detectable) ? formatNumber(detectable) : 'none',
        { text: verdict, strong: verdict === 'confirmed' || verdict === 'refuted' },
      ],
    ),
  };
}

/** Differences that were asked after the runs were seen, one table a family. */
export function exploredTables(explored: readonly ReportExplored[]): readonly Table[] {
  const families = [...new Set(explored.map(({ family }) => family))];
  return families.map((family) => ({
    caption: `Exploratory differences, ${family}: 95 % intervals, no test`,
    columns: [{ label: 'Difference' }, { label: 'Measure' }, right('Effect'), right('Seeds above 0')],
    rows: explored
      .filter((one) => one.family === family)
      .map(({ name, measure, effect, seeds, positive }): readonly Cell[] => [
        name,
        measure,
        estimateCell(effect, { format: formatDifference, strong: effect.low > 0 || effect.high < 0 }),
        `${positive} of ${seeds}`,
      ]),
  }));
}

/** Rules by mean regret, each on each backbone; and what each is worth for heads that come with a gain. */
export function regretTables({ question, rules }: ReportRegrets): readonly Table[] {
  if (rules.length === 0) return [];
  const sorted = [...rules].sort((a, b) => a.mean.mean - b.mean.mean);
  const best = sorted.find(({ inSample }) => inSample !== true);
  const backbones = sorted[0]!.backbones.map(({ backbone }) => backbone);
  return [
    {
      caption: `Regret of rules for the factor: ${question}; constants from the other backbones`,
      columns: [{ label: 'Rule' }, right('Mean regret'), { label: 'Worst on' }, ...backbones.map(right)],
      rows: sorted.map((one): readonly Cell[] => [
        ruleName(one),
        estimateCell(one.mean, { strong: one === best }),
        one.worst,
        ...one.backbones.map(({ regret, factor, bestFactor, chosenRule, constant }): Cell => {
          const chosen = [
            ...(chosenRule === undefined ? [] : [chosenRule]),
            ...(constant === undefined ? [] : [`constant ${shortFigure(constant)}`]),
          ];
          return {
            text: formatNumber(regret.mean),
            note: [`k = ${shortFigure(factor)}, best ${shortFigure(bestFactor)}`, ...chosen].join('; '),
          };
        }),
      ]),
    },
    {
      caption: `What a rule is worth against leaving the head alone, by the gain that the head comes with: ${question}, mean over the backbones`,
      columns: [{ label: 'Rule' }, ...sorted[0]!.gained.map(({ gain }) => right(shortFigure(gain)))],
      rows: sorted.map((one): readonly Cell[] => [
        ruleName(one),
        ...one.gained.map(({ difference }) => estimateCell(difference, { format: formatDifference })),
      ]),
    },
  ];
}

/** Where sweeps are best on dev, and how far apart the backbones are there. */
export function bestGainTable({ question, levels, backbones, octaves }: ReportBestGains): Table {
  const names = Object.keys(backbones[0]?.figures ?? {});
  const shared = levelsLabel(levels, Object.keys(levels));
  return {
    caption: `Where the sweep is best: ${question}${shared === '' ? '' : `; ${shared}`}`,
    columns: [
      { label: 'Backbone' },
      ...['Best gain', 'Score there', 'Above gain 1', 'Gains without collapse', ...names].map(right),
    ],
    rows: [
      ...backbones.map(({ backbone, gain, score, above, healthy, figures }): readonly Cell[] => [
        backbone,
        shortFigure(gain),
        estimateCell(score),
        estimateCell(above, { format: formatDifference }),
        healthy.map(shortFigure).join(' ') || noValue,
        ...names.map((name) => shortFigure(figures[name]!)),
      ]),
      [
        'Octaves from the least to the largest',
        formatNumber(octaves.gain, 1),
        ...['', '', ''],
        ...names.map((name) => formatNumber(octaves[name], 1)),
      ],
    ],
  };
}

/** The swept factor against the arms, one table a panel. */
export function heatTables(study: ReportStudy): readonly Table[] {
  const { sweep, factors } = study;
  const [score] = shownScores(study);
  if (sweep === undefined || score === undefined) return [];
  const axis = [...(factors[sweep.axis] ?? [])].sort((a, b) => Number(a) - Number(b));
  const series = sweep.series === undefined ? [''] : (factors[sweep.series] ?? []);
  return panelsOf(study, sweep).map(({ label, cells }) => ({
    caption: `${score} by ${sweep.axis}${sweep.series === undefined ? '' : ` and ${sweep.series}`}${label === '' ? '' : `, ${label}`}; below, how many runs collapsed of how many`,
    columns: [{ label: sweep.series ?? '' }, ...axis.map(right)],
    rows: series.map((name): readonly Cell[] => [
      name,
      ...axis.map((level): Cell => {
        const cell = cells.find(
          ({ levels }) => levels[sweep.axis] === level && (sweep.series === undefined || levels[sweep.series] === name),
        );
        if (cell === undefined) return noValue;
        const { collapsed, seeds } = cell;
        return {
          text: formatNumber(cell.scores[score]?.mean),
          ...(collapsed > 0 ? { note: `${collapsed}/${seeds.length}` } : {}),
        };
      }),
    ]),
  }));
}

/** Every cell with what it reached and what became of its runs. */
export function cellsTable({ cells, factors }: ReportStudy): Table {
  const names = Object.keys(factors);
  const scores = shownScores({ cells });
  return {
    caption: 'Cells: means over seeds and queries, with 95 % intervals where there are two seeds or more',
    columns: [
      ...(names.length > 0 ? names : ['']).map((label) => ({ label })),
      right('Seeds'),
      ...scores.map(right),
      right('Collapsed'),
      right('Guard'),
      right('Median document'),
    ],
    rows: cells.map((cell) => [
      ...(names.length > 0 ? names.map((name) => cell.levels[name] ?? '') : ['all']),
      String(cell.seeds.length),
      ...scores.map((score) => estimateCell(cell.scores[score])),
      String(cell.collapsed),
      String(cell.guarded),
      formatNumber(medianDims(cell), 0),
    ]),
  };
}

/** What each pruning reaches and costs: the mean of the cells of each level of the series. */
export function frontierTables({ cells, factors, queries }: ReportStudy): readonly Table[] {
  const places = Object.keys(queries);
  const measures = [...new Set(Object.keys(cells[0]?.scores ?? {}).map((name) => name.split(' ').slice(2).join(' ')))];
  // Where every query has its FLOPS, they are among the measures, with intervals.
  const withFlops = measures.includes('FLOPS');
  const names = Object.keys(factors);
  return [
    {
      caption: 'Prunings: effectiveness and cost of each cell, means over seeds',
      columns: [
        { label: 'Cell' },
        { label: 'Collection, pruning' },
        ...[
          ...measures,
          ...(withFlops ? [] : ['FLOPS']),
          'Query dims',
          'Document dims',
          'CV²',
          'CV², empty lists counted',
          'p99 length',
          'Max DF',
        ].map(right),
      ],
      rows: cells.flatMap((cell) =>
        places.map((place): readonly Cell[] => {
          const metric = (name: string, decimals: number): string =>
            formatNumber(cell.metrics[`${place} ${name}`], decimals);
          const interval = (name: string, decimals: number): Cell =>
            estimateCell(cell.figures[`${place} ${name}`], { format: (value) => formatNumber(value, decimals) });
          return [
            levelsLabel(cell.levels, names) || 'all',
            place,
            ...measures.map((measure) => estimateCell(cell.scores[`${place} ${measure}`])),
            ...(withFlops ? [] : [metric('flops', 3)]),
            metric('queryDims', 1),
            metric('documentDims', 1),
            interval('postings cv2', 2),
            metric('postings cv2WithEmpty', 2),
            interval('postings p99', 0),
            interval('maxDF', 3),
          ];
        }),
      ),
    },
  ];
}

/** The judgement before training against what became of the runs; balanced accuracy where both happened. */
export function predictionTable({ cells }: ReportStudy): readonly Table[] {
  const judged = cells.filter((cell): cell is ReportCell & { predicted: number } => cell.predicted !== undefined);
  if (judged.length === 0) return [];
  // Seeds of a cell start from one head: all of them are judged alike.
  const count = (predicted: boolean): { collapsed: number; healthy: number } => {
    const some = judged.filter((cell) => cell.predicted > 0 === predicted);
    const collapsed = some.reduce((sum, cell) => sum + cell.collapsed, 0);
    return { collapsed, healthy: some.reduce((sum, { seeds }) => sum + seeds.length, 0) - collapsed };
  };
  const [yes, no] = [count(true), count(false)];
  const caught = yes.collapsed / (yes.collapsed + no.collapsed);
  const spared = no.healthy / (yes.healthy + no.healthy);
  const balanced = (caught + spared) / 2;
  return [
    {
      caption: `Collapse as diagnose judged it when the runs were made, and as it came: ${Number.isFinite(balanced) ? `balanced accuracy ${formatNumber(balanced, 2)}` : 'only one of both came, so that there is no balanced accuracy'}`,
      columns: [{ label: 'Judged' }, right('Runs that collapsed'), right('Runs that did not')],
      rows: [
        ['will collapse', String(yes.collapsed), String(yes.healthy)],
        ['healthy', String(no.collapsed), String(no.healthy)],
      ],
    },
  ];
}

function ruleName({ rule, inSample }: ReportRule): string {
  return inSample ? `${rule} (in sample)` : rule;
}

function medianDims({ metrics }: ReportCell): number | undefined {
  const name = Object.keys(metrics).find((key) => key.endsWith(' medianDocumentDims'));
  return name === undefined ? undefined : metrics[name];
}

function shortFigure(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : noValue;
}
