/** Gates on measures, `--min nDCG@10=0.3`: a figure below its least value makes the exit code 5. */
import { parseMeasure } from '../evaluate/measures/parse-measure.ts';
import { LexrayError } from '../util/errors.ts';

/** The least value that a measure must reach. */
export interface MeasureGate {
  /** The measure's own name. */
  readonly measure: string;
  readonly least: number;
}

/**
 * Reads `MEASURE=VALUE` texts.
 * @throws LexrayError USAGE for another form or an unknown measure
 */
export function parseGates(texts: readonly string[]): readonly MeasureGate[] {
  return texts.map((text) => {
    const [name = '', value = '', ...rest] = text.split(/=(?=[^=]*$)/);
    const least = value.trim() === '' ? Number.NaN : Number(value);
    if (!Number.isFinite(least) || rest.length > 0) {
      throw new LexrayError('USAGE', `--min: expected MEASURE=VALUE, got ${JSON.stringify(text)}`, {
        cure: 'for example --min nDCG@10=0.3',
      });
    }
    return { measure: parseMeasure(name).name, least };
  });
}

/** The error of the gates that were missed; undefined when none was. */
export function missedGates(gates: readonly MeasureGate[], mean: ReadonlyMap<string, number>): LexrayError | undefined {
  const missed = gates.filter(({ measure, least }) => !((mean.get(measure) ?? Number.NaN) >= least));
  if (missed.length === 0) return undefined;
  const list = missed.map(
    ({ measure, least }) => `${measure} is ${mean.get(measure)?.toFixed(4)}, at least ${least} wanted`,
  );
  return new LexrayError('GATE', list.join('; '));
}
