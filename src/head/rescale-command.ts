/** A correction as `lexray rescale` takes it. */
import type { Correction } from './correction.ts';

/** `--arm D --factor 8 --shift 1.5` */
export function rescaleOptions({ arm, factor, shift }: Correction): string {
  const figure = (x: number): string => String(Number(x.toPrecision(6)));
  return `--arm ${arm} --factor ${figure(factor)}${shift === 0 ? '' : ` --shift ${figure(shift)}`}`;
}

/** The command that writes a corrected model. */
export function rescaleCommand(model: string, output: string, correction: Correction): string {
  return `lexray rescale ${shellWord(model)} -o ${output} ${rescaleOptions(correction)}`;
}

/** A path as a shell takes it. */
function shellWord(path: string): string {
  return /^[\w./:@%+=,~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
