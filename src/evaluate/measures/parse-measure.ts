/** Measures by name, in the notation of ir_measures: `NAME`, `NAME@k`, `NAME(rel=n)`, `NAME(rel=n)@k`. */
import { LexrayError } from '../../util/errors.ts';
import { averagePrecision } from './average-precision.ts';
import { judged } from './judged.ts';
import type { Measure, MeasureFamily, MeasureParameters } from './measure.ts';
import { nDcg } from './ndcg.ts';
import { precision } from './precision.ts';
import { recall } from './recall.ts';
import { reciprocalRank } from './reciprocal-rank.ts';

/** Every kind of measure. */
export const measureFamilies: readonly MeasureFamily[] = [
  nDcg,
  reciprocalRank,
  recall,
  precision,
  averagePrecision,
  judged,
];

const notation = /^([a-z]+)(?:\(\s*rel\s*=\s*(\d{1,9})\s*\))?(?:@(\d{1,9}))?$/i;

/**
 * Makes a measure from its name; upper and lower case are the same, and MRR, MAP, Recall and Precision are understood.
 * @throws LexrayError USAGE naming what is known
 */
export function parseMeasure(name: string): Measure {
  const match = notation.exec(name.trim());
  const wanted = match?.[1]?.toLowerCase();
  const family = measureFamilies.find(({ names }) => names.some((known) => known.toLowerCase() === wanted));
  if (match === null || family === undefined) {
    throw unknown(`there is no measure ${JSON.stringify(name)}`);
  }
  const [, , rel, cutoff] = match;
  return makeMeasure(family, {
    rel: rel === undefined ? undefined : Number(rel),
    cutoff: cutoff === undefined ? undefined : Number(cutoff),
  });
}

/**
 * Makes a measure of a kind.
 * @throws LexrayError USAGE for parameters that the kind does not take or lacks
 */
export function makeMeasure(family: MeasureFamily, parameters: MeasureParameters = {}): Measure {
  const { cutoff, rel } = parameters;
  const [label] = family.names;
  if (cutoff === undefined && family.needsCutoff) throw unknown(`${label} needs a cutoff, as in ${label}@10`);
  if (cutoff !== undefined && !(Number.isSafeInteger(cutoff) && cutoff >= 1)) {
    throw unknown(`the cutoff of ${label} must be an integer of at least 1, got ${cutoff}`);
  }
  if (rel !== undefined && !family.takesRel) throw unknown(`${label} takes no rel`);
  if (rel !== undefined && !(Number.isSafeInteger(rel) && rel >= 1)) {
    throw unknown(`rel of ${label} must be an integer of at least 1, got ${rel}`);
  }
  const relPart = rel === undefined || rel === 1 ? '' : `(rel=${rel})`;
  const cutoffPart = cutoff === undefined ? '' : `@${cutoff}`;
  return {
    name: `${label}${relPart}${cutoffPart}`,
    compute: (ranking) => family.compute(ranking, cutoff ?? Number.POSITIVE_INFINITY, rel ?? 1),
  };
}

function unknown(message: string): LexrayError {
  const known = measureFamilies.map(({ names, needsCutoff, takesRel }) => {
    return `${names[0]}${takesRel ? '[(rel=n)]' : ''}${needsCutoff ? '@k' : '[@k]'}`;
  });
  return new LexrayError('USAGE', message, { cure: `known are ${known.join(', ')}` });
}
