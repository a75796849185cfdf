/** `lexray demo`: trains a sparse retriever on the API symbols of a project, beside BM25, and answers queries. */
import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import type { DemoResult } from '../../demo/run-demo.ts';
import type { DemoSystem } from '../../report/demo/data.ts';
import { formatCount, formatDuration, formatTable } from '../format.ts';
import { optionalInteger, optionalText, textWithDefault } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

const estimate = z.strictObject({ mean: z.number(), low: z.number(), high: z.number() });
const hit = z.strictObject({ docid: z.string(), score: z.number(), title: z.string() });

export const demoVerb: Verb = defineVerb({
  name: 'demo',
  group: 'Start:',
  summary: 'train, search and measure a retriever of the APIs in node_modules',
  arguments: {},
  options: {
    project: textWithDefault('the project whose packages are read', { placeholder: 'DIR', default: '.' }),
    query: optionalText('answer this query at the end, and do not ask for others'),
    maxSteps: optionalInteger('train for so many steps only, for a quick look', { min: 1 }),
    minSymbols: optionalInteger('use other packages where the project documents fewer symbols (default: 4000)', {
      min: 1,
    }),
  },
  output: {
    placeholder: 'DIR',
    description: 'where data, model and report go (default: lexray-demo)',
    required: false,
  },
  examples: ['lexray demo', 'lexray demo --query "read a file without blocking"'],
  result: z.strictObject({
    output: z.string(),
    report: z.string(),
    documents: z.int(),
    trainQueries: z.int(),
    testQueries: z.int(),
    /** Means on the held-out queries with 95 % intervals, by system and measure. */
    systems: z.record(z.string(), z.record(z.string(), estimate)),
    seconds: z.record(z.string(), z.number()),
    hits: z.array(hit).optional(),
  }),
  async run({ project, query, maxSteps, minSymbols }, context) {
    const { runDemo } = await import('../../demo/run-demo.ts');
    const { force, seed, threads, signal, onProgress, onWarning, json } = context;
    const output = context.output === '' ? 'lexray-demo' : context.output;
    const options = { project, output, seed, threads, maxSteps, minSymbols, force, signal, onProgress, onWarning };
    const result = await runDemo(options);
    try {
      const hits = query === undefined ? undefined : await result.search(query, 5);
      const summary = describe(result);
      if (query === undefined && !json && process.stdin.isTTY && process.stdout.isTTY) {
        await converse(summary, result, signal);
        return { data: dataOf(output, result, undefined), text: `report: ${result.report}` };
      }
      const answer =
        hits === undefined ? [] : ['', `"${query}"`, ...hits.map(({ title }, i) => `  ${i + 1}. ${title}`)];
      return { data: dataOf(output, result, hits), text: [summary, ...answer].join('\n') };
    } finally {
      await result.dispose();
    }
  },
});

/** Shows the result, then answers what the user types until an empty line. */
async function converse(summary: string, result: DemoResult, signal: AbortSignal): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    process.stdout.write(`${summary}\n\nAsk for an API by what it does; an empty line ends.\n`);
    for (;;) {
      const text = (await terminal.question('\n> ', { signal })).trim();
      if (text === '') return;
      const hits = await result.search(text, 5);
      const lines = hits.map(({ title, score }, i) => `  ${i + 1}. ${title.slice(0, 100)}  (${score.toFixed(2)})`);
      process.stdout.write(`${lines.length === 0 ? '  nothing found' : lines.join('\n')}\n`);
    }
  } catch (error) {
    if (!(error instanceof Error && error.name === 'AbortError')) throw error;
  } finally {
    terminal.close();
  }
}

function dataOf(output: string, result: DemoResult, hits: Awaited<ReturnType<DemoResult['search']>> | undefined) {
  const { report, documents, trainQueries, testQueries } = result;
  const means = ({ measures }: DemoSystem) =>
    Object.fromEntries(
      Object.entries(measures).map(([name, { mean, low = mean, high = mean }]) => [name, { mean, low, high }]),
    );
  return {
    output,
    report,
    documents,
    trainQueries,
    testQueries,
    systems: Object.fromEntries(result.systems.map((system) => [system.name, means(system)])),
    seconds: Object.fromEntries(result.phases.map(({ name, seconds }) => [name, seconds])),
    ...(hits && { hits: hits.map(({ docid, score, title }) => ({ docid, score, title })) }),
  };
}

function describe({ systems, comparisons, documents, trainQueries, testQueries, phases, report }: DemoResult): string {
  const measures = Object.keys(systems[0]!.measures);
  const rows = systems.map(({ name, measures: values, queryActiveDims, documentActiveDims }) => [
    name,
    ...measures.map((measure) => {
      const { mean, low = mean, high = mean } = values[measure]!;
      return `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
    }),
    queryActiveDims === undefined ? '' : `${queryActiveDims.toFixed(0)}/${documentActiveDims?.toFixed(0)}`,
  ]);
  const paired = comparisons.map(({ a, b, measures: [main] }) => {
    const { mean, low, high } = main!.difference;
    const sign = mean < 0 ? '' : '+';
    return `${b} against ${a}: ${main!.measure} ${sign}${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}], p ${main!.randomization.pHolm.toFixed(4)}`;
  });
  const total = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  return [
    `${formatCount(documents)} API symbols; ${formatCount(trainQueries)} training queries, ${formatCount(testQueries)} held out (95 % intervals)`,
    '',
    formatTable([['', ...measures, 'active q/d'], ...rows], ['left', ...measures.map(() => 'right' as const), 'right']),
    '',
    ...paired,
    '',
    `${formatDuration(total)}: ${phases.map(({ name, seconds }) => `${name} ${formatDuration(seconds)}`).join(', ')}`,
    `report: ${report}`,
  ].join('\n');
}
