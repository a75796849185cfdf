/** Cells by what a user writes: the first digits of an id, or levels and a seed, `gain=4, arm=B, seed=3`; what is left out is any. */
import { LexrayError } from '../util/errors.ts';
import type { StudyCell } from './cells.ts';

/**
 * A test for the cells that are meant.
 * @throws LexrayError USAGE when a text is neither, or names no cell
 */
export function selectCells(text: string, cells: readonly StudyCell[]): (cell: Pick<StudyCell, 'id'>) => boolean {
  const wanted = /^[0-9a-f]{4,16}$/.test(text) ? byId(text) : byLevels(text);
  const ids = new Set(cells.filter(wanted).map(({ id }) => id));
  if (ids.size === 0) {
    throw new LexrayError('USAGE', `no cell of the design is ${JSON.stringify(text)}`, {
      cure: 'write the first digits of an id, or levels as in "gain=4, seed=3"',
    });
  }
  return ({ id }) => ids.has(id);
}

function byId(start: string): (cell: StudyCell) => boolean {
  return ({ id }) => id.startsWith(start);
}

function byLevels(text: string): (cell: StudyCell) => boolean {
  const pairs = text.split(',').map((part) => {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    if (name === undefined || value === undefined) {
      throw new LexrayError('USAGE', `expected FACTOR=LEVEL, got ${JSON.stringify(part)}`, {
        cure: 'write the first digits of an id, or levels as in "gain=4, seed=3"',
      });
    }
    return [name, value] as const;
  });
  return ({ levels, seed }) =>
    pairs.every(([name, value]) => (name === 'seed' ? String(seed) : levels[name]) === value);
}
