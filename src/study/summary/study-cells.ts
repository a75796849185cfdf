/** What cell a line of results belongs to, and what was done to its head. */
import type { ResultLine } from '../result-line.ts';

/** The cell: one combination of levels, as a key. */
export function cellOf({ levels }: ResultLine): string {
  return JSON.stringify(Object.entries(levels).sort());
}

/** The backbone, by its level or its folder. */
export function backboneOf({ levels, settings }: ResultLine): string {
  return levels.backbone ?? String(settings.backbone);
}

/** g, by which the logits of the backbone were multiplied. */
export function gainOf({ settings }: ResultLine): number {
  return typeof settings.gain === 'number' ? settings.gain : 1;
}

/** Whether the head was corrected before it was trained. */
export function isCorrected({ settings }: ResultLine): boolean {
  return (settings.correction ?? 'none') !== 'none';
}
