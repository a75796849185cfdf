/**
 * The report of studies: contrasts with their verdicts, regret of rules, sweeps, dynamics, prunings, as one page; and its tables
 * as Markdown and LaTeX. A pure function of the data: the same results give the same bytes.
 */
import { definitions, htmlTable, paragraph, renderPage, type Section, section } from './html.ts';
import { latexTable } from './latex-table.ts';
import { markdownTable } from './markdown-table.ts';
import type { ReportStudy, StudyReportData } from './study/data.ts';
import { dynamicsSection, pretrainingSection } from './study/dynamics.ts';
import { frontierFigures } from './study/frontiers.ts';
import { heatTable } from './study/heat.ts';
import { correlationSection, predictorTable } from './study/prediction.ts';
import { pretrainedTable } from './study/pretrained.ts';
import { sweepSection } from './study/sweep.ts';
import {
  bestGainTable,
  cellsTable,
  contrastTable,
  exploredTables,
  frontierTables,
  heatTables,
  predictionTable,
  regretTables,
  studyTables,
} from './study/tables.ts';
import { formatNumber, formatSeconds } from './table.ts';

/** Makes the page. */
export function studyReport({ studies, tool }: StudyReportData): string {
  const several = studies.length > 1;
  return renderPage({
    title: `${several ? 'Studies' : 'Study'} ${studies.map(({ name }) => name).join(', ')}`,
    lead: studies.map(leadOf).join(' '),
    sections: studies.flatMap((study) =>
      sectionsOf(study).map((one) => (several ? { ...one, heading: `${study.name}: ${one.heading}` } : one)),
    ),
    footer: `Made by ${tool} from results of ${[...new Set(studies.flatMap(({ tools }) => tools))].join(', ')}.`,
  });
}

/** The tables as Markdown. */
export function studyMarkdown({ studies }: StudyReportData): string {
  return studies
    .map((study) =>
      [
        `# Study ${study.name}`,
        leadOf(study),
        ...studyTables(study).map((table) => `## ${table.caption}\n\n${markdownTable(table).trimEnd()}`),
      ].join('\n\n'),
    )
    .join('\n\n')
    .concat('\n');
}

/** The tables as LaTeX, which needs the package booktabs. */
export function studyLatex({ studies }: StudyReportData): string {
  return ['% needs \\usepackage{booktabs}', ...studies.flatMap((study) => studyTables(study).map(latexTable))].join(
    '\n',
  );
}

function leadOf(study: ReportStudy): string {
  const { name, runs, cells, families } = study;
  const collapsed = cells.reduce((sum, cell) => sum + cell.collapsed, 0);
  const words = families.map(({ name: family, words: counts }) => ` Family ${family}: ${counts}.`).join('');
  return `${name}: ${formatNumber(runs, 0)} runs of ${formatNumber(cells.length, 0)} cells, of which ${formatNumber(collapsed, 0)} runs collapsed.${words}`;
}

function sectionsOf(study: ReportStudy): Section[] {
  const { families, explored, regrets, bestGains, factors, queries, seconds } = study;
  const heat = heatTables(study);
  const prediction = predictionTable(study);
  const present = (...some: readonly (Section | undefined)[]): Section[] => some.filter((one) => one !== undefined);
  const predictors = predictorTable(study.predictors);
  const pretrained = pretrainedTable(study);
  return [
    ...(families.length > 0
      ? [
          section(
            'Contrasts',
            paragraph(
              'Declared before the runs; p values are corrected by Holm within each family. A claim is confirmed when both tests find an effect of the claimed sign.',
            ),
            ...families.map((family) => htmlTable(contrastTable(family))),
          ),
        ]
      : []),
    ...(explored.length > 0
      ? [
          section(
            'Exploratory differences',
            paragraph(
              'Asked after runs were seen, or with too few seeds for a test: intervals for new seeds and new queries, none corrected.',
            ),
            ...exploredTables(explored).map(htmlTable),
          ),
        ]
      : []),
    ...(regrets.length > 0
      ? [
          section(
            'Regret of rules',
            paragraph(
              'How much is lost on eval by a factor that a rule chose, against the swept factor that is best on dev. The nearest factor that was run counts, but for what was corrected and run. A constant is the target of the rule, from the other backbones but where a row says that it is in sample.',
            ),
            ...regrets.flatMap((one) =>
              one.reason === undefined
                ? regretTables(one).map(htmlTable)
                : [paragraph(`Rules could not be judged by ${one.question}: ${one.reason}.`)],
            ),
            ...bestGains.map((one) => htmlTable(bestGainTable(one))),
          ),
        ]
      : []),
    ...present(sweepSection(study)),
    ...(heat.length > 0 ? [section('Heat', ...heat.map(heatTable))] : []),
    ...(predictors.length > 0
      ? [
          section(
            'What predicts collapse',
            paragraph(
              'From the cells whose head was not corrected. A range says: collapse outside of it; it is chosen on the other backbones, so that no figure is judged by what it was fitted to. Diagnose and the norm above 2 have their thresholds already; where they come from these very runs, the row says so. Intervals are bootstraps over cells.',
            ),
            ...predictors.map(htmlTable),
          ),
        ]
      : []),
    ...present(pretrainingSection(study)),
    ...(pretrained.length > 0 ? [section('Pre-trained models', ...pretrained.map(htmlTable))] : []),
    ...present(correlationSection(study), dynamicsSection(study)),
    section('Cells', htmlTable(cellsTable(study)), ...prediction.map(htmlTable)),
    section('Prunings', ...frontierFigures(study), ...frontierTables(study).map(htmlTable)),
    section(
      'What was run',
      definitions([
        ...Object.entries(factors).map(([name, levels]) => [name, levels.join(', ')] as const),
        ...Object.entries(queries).map(([name, count]) => [name, `${formatNumber(count, 0)} queries`] as const),
        ['Time of all runs', formatSeconds(seconds)],
      ]),
      paragraph(
        'A run has collapsed when its median document has less than one active dimension or more than half of the vocabulary, or when its score on dev is below half of the best mean of its backbone.',
      ),
    ),
  ];
}
