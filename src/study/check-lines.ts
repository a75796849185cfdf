/**
 * Whether lines are what a study wrote: of one study, each run once, as it was written, and of the design where there is one.
 * What the runs were made from (data, backbone, defaults) is not looked at: a report needs the lines alone.
 */
import { badInput } from '../util/errors.ts';
import { cellId, cellName, designCells, digestOf } from './cells.ts';
import type { StudyDesign } from './design.ts';
import type { ResultLine } from './result-line.ts';

/**
 * Checks lines.
 * @param where they were read
 * @throws LexrayError BAD_INPUT naming the first that does not fit
 */
export function checkLines(
  lines: readonly ResultLine[],
  { design, where }: { readonly design?: StudyDesign | undefined; readonly where: string },
): void {
  const [first] = lines;
  if (first === undefined) throw badInput('there are no results', { where, cure: 'run the study first' });
  const ids = new Set<string>();
  for (const line of lines) {
    if (line.study !== first.study) {
      throw badInput(`results of two studies in one file, ${first.study} and ${line.study}`, {
        where,
        cure: 'give each study a file of its own',
      });
    }
    if (ids.has(line.id)) {
      throw badInput(`the results hold the run ${cellName(line)} (${line.id}) twice`, {
        where,
        cure: 'remove one of the two lines',
      });
    }
    ids.add(line.id);
    checkDigest(line, where);
  }
  if (design !== undefined) checkOfDesign(lines, design, where);
}

/**
 * Checks that a line is known by what it holds.
 * @throws LexrayError BAD_INPUT when its levels, seed or resolved settings were changed
 */
export function checkDigest(line: ResultLine, where: string = cellName(line)): void {
  if (cellId(line.levels, line.seed, line.resolved) === line.id) return;
  throw badInput(`the line of ${cellName(line)} was changed: its digest is not ${line.id}`, {
    where,
    cure: 'take the line as it was written',
  });
}

/**
 * Checks that lines are of a design: their levels and seeds are among its runs, and their settings are what it says.
 * @throws LexrayError BAD_INPUT
 */
export function checkOfDesign(lines: readonly ResultLine[], design: StudyDesign, where: string): void {
  const known = new Map(designCells(design).map((cell) => [keyOf(cell), cell.settings]));
  for (const line of lines) {
    const settings = known.get(keyOf(line));
    if (line.study !== design.name || settings === undefined) {
      throw badInput(`the run ${cellName(line)} of ${line.study} is not of the design ${design.name}`, {
        where,
        cure: 'give the design that the runs were made with',
      });
    }
    const changed = changedSettings(settings, line.settings);
    if (changed.length > 0) {
      throw badInput(`the run ${cellName(line)} has not the settings of the design: ${changed.join(', ')}`, {
        where,
        cure: 'give the design that the runs were made with, and lines as they were written',
      });
    }
  }
}

/** The names of settings that are not the same. */
export function changedSettings(a: ResultLine['settings'], b: ResultLine['settings']): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (name) => digestOf(a[name] ?? null) !== digestOf(b[name] ?? null),
  );
}

function keyOf({ levels, seed }: Pick<ResultLine, 'levels' | 'seed'>): string {
  return digestOf({ levels, seed });
}
