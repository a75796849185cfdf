/** `lexray study DESIGN -o RESULTS`: runs the cells of a design, and one of them again from its line. */
import { z } from 'zod';
import type { ResultLine } from '../../study/result-line.ts';
import { LexrayError } from '../../util/errors.ts';
import { formatCount, formatDuration } from '../format.ts';
import { flag, integer, optionalInteger, optionalText } from '../option.ts';
import { defineVerb, type Verb, type VerbContext } from '../verb.ts';

interface Settings {
  readonly design: string | undefined;
  readonly only: string | undefined;
  readonly limit: number | undefined;
  readonly jobs: number;
  readonly root: string | undefined;
  readonly keep: boolean;
  readonly rerun: string | undefined;
}

export const studyVerb: Verb = defineVerb({
  name: 'study',
  group: 'Evaluation:',
  summary: 'run the cells of a study, and go on where it was',
  arguments: {
    design: optionalText('YAML file with fixed settings, factors, seeds and contrasts', { placeholder: 'DESIGN' }),
  },
  options: {
    only: optionalText('run these cells only: first digits of an id, or levels as in "gain=4, seed=3"', {
      placeholder: 'CELL',
    }),
    limit: optionalInteger('stop after so many cells', { min: 1 }),
    jobs: integer('run so many cells side by side, each in a process of its own on --threads threads', {
      default: 1,
      min: 1,
      max: 1024,
    }),
    root: optionalText('where the paths of the design begin (default: the current folder)', { placeholder: 'DIR' }),
    keep: flag('keep the working folders, RESULTS.work/ID'),
    rerun: optionalText('run the cell of this line of RESULTS again (number, or first digits of its id), and compare', {
      placeholder: 'LINE',
    }),
  },
  output: { placeholder: 'RESULTS', description: 'results, .jsonl or .jsonl.gz, one line a cell', required: true },
  examples: [
    'lexray study studies/example.yaml --dry-run -o results.jsonl',
    'lexray study studies/example.yaml -o results.jsonl.gz',
    'lexray study --rerun 3 -o results.jsonl.gz --threads 1',
  ],
  result: z.strictObject({
    output: z.string(),
    study: z.string(),
    cells: z.int(),
    done: z.int(),
    missing: z.int(),
    rerun: z
      .strictObject({
        id: z.string(),
        same: z.boolean(),
        tolerance: z.number(),
        changed: z.array(
          z.strictObject({ name: z.string(), before: z.number().nullable(), after: z.number().nullable() }),
        ),
      })
      .optional(),
  }),
  async run(settings, context) {
    await checkOutput(context);
    if (settings.rerun !== undefined) return rerunOf(settings.rerun, settings, context);
    const [{ runStudy }, { selectCells }, { inProcesses }] = await Promise.all([
      import('../../study/runner.ts'),
      import('../../study/select-cells.ts'),
      import('../../study/cells/cell-process.ts'),
    ]);
    const { design, cells, open, options } = await openStudy(settings, context);
    const { output, signal, onProgress, onWarning } = context;
    const only = settings.only === undefined ? undefined : selectCells(settings.only, cells);
    const { limit, jobs } = settings;
    const { resolve } = open;
    const run = jobs === 1 ? open.run : inProcesses(options);
    const state = await runStudy(design, run, {
      ...{ results: output, resolve, only, limit, jobs, signal, onProgress, onWarning },
    });
    const [done, missing] = [state.lines.length, state.missing.length];
    return {
      data: { output, study: design.name, cells: cells.length, done, missing },
      text: [
        `${formatCount(done)} of ${formatCount(cells.length)} cells are done${missing > 0 ? `, ${formatCount(missing)} are missing` : ''}`,
        `wrote ${output}`,
      ].join('\n'),
    };
  },
  async forecast(settings, context) {
    await checkOutput(context);
    if (settings.rerun !== undefined) throw besideRerun('--dry-run');
    const { studyState } = await import('../../study/runner.ts');
    const { selectCells } = await import('../../study/select-cells.ts');
    const { design, cells, open } = await openStudy(settings, context);
    const { output, signal, onProgress, onWarning } = context;
    const { lines, missing } = await studyState(design, { results: output, resolve: open.resolve, onWarning });
    const only = settings.only === undefined ? () => true : selectCells(settings.only, cells);
    const todo = missing.filter(only).slice(0, settings.limit);
    const counted = `${formatCount(cells.length)} cells, ${formatCount(lines.length)} done, ${formatCount(todo.length)} to run`;
    const base = { memoryBytes: process.memoryUsage().rss, outputBytes: 0 };
    const [first] = todo;
    if (first === undefined) return { ...base, seconds: 0, basis: counted };
    if (lines.length > 0) {
      const seconds = lines.reduce((sum, line) => sum + line.seconds, 0) / lines.length;
      const basis = `${counted}; ${formatDuration(seconds)} a cell, the mean of those that are done`;
      return { ...base, seconds: (seconds * todo.length) / settings.jobs, basis };
    }
    const measured = await open.forecast(first.settings, { signal, onProgress });
    const basis = `${counted}; ${formatDuration(measured.seconds)} a cell, from ${measured.basis}`;
    const [seconds, memoryBytes] = [
      (measured.seconds * todo.length) / settings.jobs,
      measured.memoryBytes * settings.jobs,
    ];
    return { seconds, memoryBytes, outputBytes: 0, basis };
  },
});

/** A study is never begun anew over what it found, and goes on in a file of results only. */
async function checkOutput({ force, output }: VerbContext): Promise<void> {
  const { checkResultsName } = await import('../../study/results-file.ts');
  checkResultsName(output);
  if (!force) return;
  throw new LexrayError('USAGE', '--force would throw away results', {
    where: output,
    cure: 'leave it out: a study goes on where it was; or name another file',
  });
}

async function openStudy({ design: path, root, keep }: Settings, { output, threads, signal }: VerbContext) {
  if (path === undefined) {
    throw new LexrayError('USAGE', 'missing DESIGN', { cure: 'lexray study --help shows what it takes' });
  }
  const [{ readDesign }, { designCells }, { checkMeasured }, { openCells }] = await Promise.all([
    import('../../study/design.ts'),
    import('../../study/cells.ts'),
    import('../../study/contrast-sides.ts'),
    import('../../study/cells/registry.ts'),
  ]);
  const design = await readDesign(path);
  const given = designCells(design).map(({ settings }) => settings);
  const [workFolder, cacheFolder] = [`${output}.work`, `${output}.pretrained`];
  const options = { root, workFolder, cacheFolder, keep, threads, signal };
  const open = await openCells(given, options);
  const cells = designCells(design, open.resolve);
  for (const contrast of design.contrasts) checkMeasured(contrast, cells, open.measured);
  return { design, cells, open, options };
}

/** Figures that are further apart than this count as changed. */
const tolerance = 1e-6;

async function rerunOf(wanted: string, settings: Settings, context: VerbContext) {
  const { design, only, limit, jobs, root, keep } = settings;
  if (only !== undefined) throw besideRerun('--only');
  if (limit !== undefined) throw besideRerun('--limit');
  if (jobs !== 1) throw besideRerun('--jobs');
  const { output, threads, signal, onProgress, onWarning } = context;
  const [{ readResults }, { changedSettings, checkOfDesign }, { readDesign }, { rerunLine }, { openCells }, cells] =
    await Promise.all([
      import('../../study/results-file.ts'),
      import('../../study/check-lines.ts'),
      import('../../study/design.ts'),
      import('../../study/runner.ts'),
      import('../../study/cells/registry.ts'),
      import('../../study/cells.ts'),
    ]);
  const { cellId, cellName } = cells;
  const lines = await readResults(output, { onWarning });
  const line = findLine(lines, wanted, output);
  if (design !== undefined) checkOfDesign([line], await readDesign(design), output);
  const open = await openCells([line.settings], { root, workFolder: `${output}.work`, keep, threads, signal });
  const { seed: _, ...resolved } = open.resolve(line.settings);
  const changed = changedSettings(resolved, line.resolved);
  if (cellId(line.levels, line.seed, line.resolved) !== line.id) {
    const what =
      changed.length > 0
        ? `settings and resolved settings do not fit together: ${changed.join(', ')}`
        : 'its settings are those that were resolved, so its levels or its seed are others';
    throw new LexrayError(
      'BAD_INPUT',
      `the line of ${cellName(line)} was changed: its digest is not ${line.id}; ${what}`,
      {
        where: output,
        cure: 'take the line as it was written',
      },
    );
  }
  if (changed.length > 0) {
    onWarning(`data, backbone or defaults are not what the line was made from: ${changed.join(', ')}`);
  }
  if (threads !== 1 || (line.facts?.threads ?? '1') !== '1') {
    onWarning('figures are the same to 1e-6 on one thread only: give --threads 1 for both runs');
  }
  const { changed: figures } = await rerunLine(line, open.run, { tolerance, signal, onProgress, onWarning });
  const same = figures.length === 0;
  const count = Object.keys(line.metrics).length;
  const shown = figures.slice(0, 10).map(({ name, before, after }) => `${name}: ${before} → ${after}`);
  const failure = same
    ? undefined
    : new LexrayError('GATE', `${formatCount(figures.length)} figures changed by more than ${tolerance}`, {
        where: cellName(line),
      });
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return {
    data: {
      output,
      study: line.study,
      cells: 1,
      done: 1,
      missing: 0,
      rerun: {
        id: line.id,
        same,
        tolerance,
        changed: figures.map(({ name, before, after }) => ({ name, before: finite(before), after: finite(after) })),
      },
    },
    text: same
      ? `${cellName(line)}: the same, all ${count} metrics and every score to ${tolerance}`
      : [`${cellName(line)}: not the same`, ...shown].join('\n'),
    ...(failure && { failure }),
  };
}

function besideRerun(option: string): LexrayError {
  return new LexrayError('USAGE', `${option} does nothing beside --rerun, which runs one line`, {
    cure: 'leave out one of the two',
  });
}

/** The line of a number, where there are so many; else the one whose id begins so. */
function findLine(lines: readonly ResultLine[], wanted: string, where: string): ResultLine {
  const numbered = /^\d+$/.test(wanted) ? lines[Number(wanted) - 1] : undefined;
  const found = numbered === undefined ? lines.filter(({ id }) => id.startsWith(wanted)) : [numbered];
  if (found.length === 1) return found[0]!;
  throw new LexrayError(
    'USAGE',
    `${lines.length} lines of results, and ${found.length || 'none'} of them is ${wanted}`,
    {
      where,
      cure: 'give the number of a line, from 1, or the first digits of its id',
    },
  );
}
