/**
 * Runs the cells of a design, one by one or several side by side, and appends each to the results as soon as it is done, so that a study can be stopped
 * and goes on where it was. What a run is, the caller says (`RunCell`): training, in the verb; anything, in a test.
 *
 * No cell is left out: a run that throws stops the study, and is run again when it goes on. A run that collapses is a result.
 */
import { LexrayError, throwIfAborted } from '../util/errors.ts';
import type { ProgressListener, WarningListener } from '../util/progress.ts';
import { toolName } from '../util/version.ts';
import { cellName, designCells, type ResolveSettings, type StudyCell } from './cells.ts';
import { checkDigest } from './check-lines.ts';
import type { Settings, StudyDesign } from './design.ts';
import { type CellResult, checkResult, type ResultLine } from './result-line.ts';
import { appendResult, readResults } from './results-file.ts';

/** What a run gets beside its settings. */
export interface CellContext {
  readonly seed: number;
  readonly levels: StudyCell['levels'];
  /** Names the run: for folders and logs. */
  readonly id: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** Does one run. The same settings and seed must give the same result. */
export type RunCell = (settings: Settings, context: CellContext) => Promise<CellResult>;

/** Options of {@link runStudy}. */
export interface RunStudyOptions {
  /** The file of results, `.jsonl` or `.jsonl.gz`; runs that are in it are not run again. */
  readonly results: string;
  /** Adds defaults to the settings of a cell. @default none */
  readonly resolve?: ResolveSettings | undefined;
  /** Which of the missing runs are wanted. @default all */
  readonly only?: ((cell: StudyCell) => boolean) | undefined;
  /** Stop after so many runs. @default all */
  readonly limit?: number | undefined;
  /** Runs side by side. @default 1 */
  readonly jobs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
}

/** How far a study is. */
export interface StudyState {
  readonly cells: readonly StudyCell[];
  /** Results of the design's cells, in the order of the file. */
  readonly lines: readonly ResultLine[];
  /** Cells without a result. */
  readonly missing: readonly StudyCell[];
}

/**
 * Runs what is missing of a study.
 * @throws LexrayError CONFIG when cells differ outside the declared factors, or the results belong to another design;
 *   INTERRUPTED when the signal fires; what a run throws, with its name
 */
export async function runStudy(design: StudyDesign, run: RunCell, options: RunStudyOptions): Promise<StudyState> {
  const { results, only = () => true, limit = Number.POSITIVE_INFINITY, jobs = 1, onProgress, onWarning } = options;
  const state = await studyState(design, options);
  const lines = [...state.lines];
  const todo = state.missing.filter(only).slice(0, limit);
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  const queue = todo.entries();
  let appended = Promise.resolve();
  let done = 0;
  const work = async (): Promise<void> => {
    for (const [i, cell] of queue) {
      throwIfAborted(signal);
      const place = `run ${i + 1} of ${todo.length}`;
      onProgress?.({ phase: `${place}: ${cellName(cell)}`, done, total: todo.length, unit: 'runs' });
      const line = await runLine(design.name, cell, run, {
        signal,
        onProgress: onProgress && ((event) => onProgress({ ...event, phase: `${place}: ${event.phase}` })),
        onWarning: onWarning && ((message) => onWarning(`${cellName(cell)}: ${message}`)),
      });
      // One after another: the file has one writer at a time.
      appended = appended.then(() => appendResult(results, line));
      await appended;
      lines.push(line);
      done++;
    }
  };
  // The first failure stops the others, and is what is told.
  const ends = Array.from({ length: jobs }, () =>
    work().catch((error: unknown) => {
      if (!failure.signal.aborted) failure.abort(error);
    }),
  );
  await Promise.all(ends);
  if (failure.signal.aborted) throw failure.signal.reason;
  onProgress?.({ phase: 'runs', done: todo.length, total: todo.length, unit: 'runs' });
  return { cells: state.cells, lines, missing: state.missing.filter((cell) => !todo.includes(cell)) };
}

/**
 * Reads how far a study is, and runs nothing.
 * @throws LexrayError as {@link runStudy} does for designs and results that do not fit
 */
export async function studyState(
  design: StudyDesign,
  { results, resolve, onWarning }: Pick<RunStudyOptions, 'results' | 'resolve' | 'onWarning'>,
): Promise<StudyState> {
  const cells = designCells(design, resolve);
  const lines = await readResults(results, { onWarning });
  const known = new Map(cells.map((cell) => [cell.id, cell]));
  const done = new Set<string>();
  for (const line of lines) {
    const what = `${cellName(line)} (${line.id})`;
    if (line.study !== design.name || !known.has(line.id)) {
      throw new LexrayError(
        'CONFIG',
        `the results hold the run ${what} of ${line.study}, which is not of this design`,
        {
          where: results,
          cure: 'name another file of results; a design whose settings change is another study',
        },
      );
    }
    if (done.has(line.id)) {
      throw new LexrayError('CONFIG', `the results hold the run ${what} twice`, {
        where: results,
        cure: 'remove one of the two lines',
      });
    }
    done.add(line.id);
  }
  const others = new Set(lines.map(({ tool }) => tool).filter((tool) => tool !== toolName));
  if (others.size > 0) onWarning?.(`some runs were made by ${[...others].join(', ')}, and this is ${toolName}`);
  return { cells, lines, missing: cells.filter(({ id }) => !done.has(id)) };
}

/** A figure that is not as it was. */
export interface ChangedFigure {
  readonly name: string;
  readonly before: number;
  readonly after: number;
}

/**
 * Runs a cell again from its line, and compares every metric and score.
 * @param tolerance the largest difference that counts as the same @default 1e-6
 * @returns the new line, and what changed; a figure that is missing on one side is NaN there
 * @throws LexrayError BAD_INPUT when the line's digest is not that of what it holds
 */
export async function rerunLine(
  line: ResultLine,
  run: RunCell,
  {
    tolerance = 1e-6,
    ...context
  }: Pick<RunStudyOptions, 'signal' | 'onProgress' | 'onWarning'> & { tolerance?: number } = {},
): Promise<{ readonly line: ResultLine; readonly changed: readonly ChangedFigure[] }> {
  checkDigest(line);
  const { id, levels, seed, settings, resolved } = line;
  const again = await runLine(line.study, { id, levels, seed, settings, resolved }, run, context);
  const [before, after] = [figures(line), figures(again)];
  const changed = [...new Set([...before.keys(), ...after.keys()])].flatMap((name): ChangedFigure[] => {
    const pair = { name, before: before.get(name) ?? Number.NaN, after: after.get(name) ?? Number.NaN };
    return Math.abs(pair.after - pair.before) <= tolerance ? [] : [pair];
  });
  return { line: again, changed };
}

async function runLine(
  study: string,
  cell: StudyCell,
  run: RunCell,
  context: Pick<CellContext, 'signal' | 'onProgress' | 'onWarning'>,
): Promise<ResultLine> {
  const { id, levels, seed, settings, resolved } = cell;
  const start = performance.now();
  let result: CellResult;
  try {
    result = await run(settings, { ...context, seed, levels, id });
    checkResult(result, cellName(cell));
  } catch (error) {
    if (!(error instanceof LexrayError) || error.where !== undefined || error.code === 'INTERRUPTED') throw error;
    const cure = error.cure === undefined ? {} : { cure: error.cure };
    throw new LexrayError(error.code, error.message, { where: cellName(cell), cause: error, ...cure });
  }
  const seconds = (performance.now() - start) / 1000;
  const { metrics, scores, facts, curves, pretrainingCurves } = result;
  const finished = new Date().toISOString();
  return {
    ...{ schema: 1, study, id, levels, seed, settings, resolved, metrics, scores },
    ...(facts && { facts }),
    ...(curves && { curves }),
    ...(pretrainingCurves && { pretrainingCurves }),
    ...{ seconds, finished, tool: toolName },
  };
}

/** Every number of a line by name: metrics, and scores by collection, measure and qid. */
function figures({ metrics, scores }: CellResult): Map<string, number> {
  const found = new Map(Object.entries(metrics));
  for (const [collection, { qids, measures }] of Object.entries(scores)) {
    for (const [measure, values] of Object.entries(measures)) {
      for (const [i, value] of values.entries()) found.set(`${collection} ${measure} ${qids[i]}`, value);
    }
  }
  return found;
}
