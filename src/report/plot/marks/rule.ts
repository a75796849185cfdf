/** A straight line across the plot at one value: a base line, a target, a chosen step. */
import { element, type Markup } from '../../markup.ts';
import type { MarkContext } from '../area.ts';
import type { Extent } from '../domain.ts';

/** A rule mark. */
export interface RuleMark {
  readonly type: 'rule';
  /** Which axis has the value: `y` gives a horizontal line. */
  readonly axis: 'x' | 'y';
  readonly at: number;
  /** Written at its end. */
  readonly text?: string;
}

/** What the rule needs of the axes. */
export function ruleExtent({ axis, at }: RuleMark): Extent {
  return Number.isFinite(at) ? { [axis]: [at, at] } : {};
}

/** Draws the rule. */
export function drawRule({ axis, at, text }: RuleMark, { area }: MarkContext): Markup[] {
  const place = area[axis].at(at);
  if (!Number.isFinite(place)) return [];
  if (axis === 'y') {
    return [
      element('line', { class: 'plot-rule', x1: area.left, x2: area.right, y1: place, y2: place }),
      ...(text ? [element('text', { x: area.right - 2, y: place - 5, 'text-anchor': 'end' }, text)] : []),
    ];
  }
  const leftwards = place > (area.left + area.right) / 2;
  return [
    element('line', { class: 'plot-rule', x1: place, x2: place, y1: area.top, y2: area.bottom }),
    ...(text
      ? [
          element(
            'text',
            { x: place + (leftwards ? -5 : 5), y: area.top + 12, 'text-anchor': leftwards ? 'end' : 'start' },
            text,
          ),
        ]
      : []),
  ];
}
