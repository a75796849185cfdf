/** `lexray report RESULTS… -o report.html`: the tables and figures of studies, from their results alone. */
import { z } from 'zod';
import { checkDistinct, checkOutput } from '../check-output.ts';
import { optionalText, textWithDefault, words } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

export const reportVerb: Verb = defineVerb({
  name: 'report',
  group: 'Evaluation:',
  summary: 'tables and figures of studies, from their results',
  arguments: {
    results: words('files of results, one a study', { placeholder: 'RESULTS', default: [], required: true }),
  },
  options: {
    design: words('designs of the studies: their contrasts are answered', { placeholder: 'FILE', default: [] }),
    exploratory: words('contrasts that were asked later: intervals, no verdicts', { placeholder: 'FILE', default: [] }),
    measure: textWithDefault('what collapse and regret are measured by', { default: 'nDCG@10' }),
    markdown: optionalText('also write the tables as Markdown', { placeholder: 'FILE' }),
    latex: optionalText('also write the tables as LaTeX', { placeholder: 'FILE' }),
  },
  output: { placeholder: 'FILE', description: 'HTML page to write', required: true },
  examples: ['lexray report results.jsonl.gz --design studies/example.yaml -o report.html --latex tables.tex'],
  result: z.strictObject({
    output: z.string(),
    studies: z.array(
      z.strictObject({
        name: z.string(),
        runs: z.int(),
        cells: z.int(),
        collapsed: z.int(),
        verdicts: z.record(z.string(), z.string()),
      }),
    ),
  }),
  async run({ results, design, exploratory, measure, markdown, latex }, { output, force, onWarning }) {
    const others = [markdown, latex].filter((path) => path !== undefined);
    await checkDistinct([output, ...others], [...results, ...design, ...exploratory]);
    for (const path of [output, ...others]) await checkOutput(path, force);
    const [
      { readResults },
      { checkLines },
      { readDesign, readExploratory },
      { summariseStudy },
      report,
      { toolName },
      { writeFileAtomic },
    ] = await Promise.all([
      import('../../study/results-file.ts'),
      import('../../study/check-lines.ts'),
      import('../../study/design.ts'),
      import('../../study/summary/summarise-study.ts'),
      import('../../report/study-report.ts'),
      import('../../util/version.ts'),
      import('../../util/write-atomic.ts'),
    ]);
    const designs = await Promise.all(design.map(readDesign));
    const asked = await Promise.all(exploratory.map((path) => readExploratory(path, designs)));
    const read = await Promise.all(results.map((path) => readResults(path, { onWarning })));
    const studies = read.map((lines, i) => {
      const ofStudy = designs.find(({ name }) => name === lines[0]?.study);
      checkLines(lines, { design: ofStudy, where: results[i]! });
      return summariseStudy(lines, {
        measure,
        design: ofStudy,
        exploratory: asked.filter(({ study }) => study === ofStudy?.name).flatMap(({ contrasts }) => contrasts),
      });
    });
    for (const { name } of designs) {
      if (!studies.some((study) => study.name === name)) onWarning(`there are no results of the design ${name}`);
    }
    const data = { studies, tool: toolName };
    await writeFileAtomic(output, report.studyReport(data));
    if (markdown !== undefined) await writeFileAtomic(markdown, report.studyMarkdown(data));
    if (latex !== undefined) await writeFileAtomic(latex, report.studyLatex(data));
    return {
      data: {
        output,
        studies: studies.map(({ name, runs, cells, families }) => ({
          name,
          runs,
          cells: cells.length,
          collapsed: cells.reduce((sum, { collapsed }) => sum + collapsed, 0),
          verdicts: Object.fromEntries(families.map((family) => [family.name, family.words])),
        })),
      },
      text: [
        ...studies.flatMap(({ name, runs, cells, families }) => [
          `${name}: ${runs} runs of ${cells.length} cells`,
          ...families.map((family) => `  ${family.name}: ${family.words}`),
        ]),
        `wrote ${[output, ...others].join(', ')}`,
      ].join('\n'),
    };
  },
});
