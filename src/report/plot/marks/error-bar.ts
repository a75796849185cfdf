/** A vertical interval with caps. */
import { element, type Markup, short } from '../../markup.ts';

const capHalf = 4;

/** Draws an interval at `x` between two heights, in pixels; nothing when an end has no place. */
export function drawErrorBar(x: number, low: number, high: number, color?: string): Markup[] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [];
  const cap = (y: number): string => `M${short(x - capHalf)} ${short(y)}H${short(x + capHalf)}`;
  return [
    element('path', {
      class: 'plot-error',
      style: color && `stroke:${color}`,
      d: `M${short(x)} ${short(low)}V${short(high)}${cap(low)}${cap(high)}`,
    }),
  ];
}
