/**
 * Scales: from a value to its place on the page. A linear and a logarithmic scale for numbers, and a band scale that
 * gives each category the same room.
 */
import { linearTicks, logTicks, type Tick } from './ticks.ts';

/** From numbers to pixels. */
export interface Scale {
  readonly domain: readonly [number, number];
  /** The pixel of a value; not finite for a value that has no place, such as 0 on a logarithmic scale. */
  at(value: number): number;
  /** Round values in the domain, about `count` of them. */
  ticks(count: number): readonly Tick[];
}

/** From categories to pixels. */
export interface BandScale {
  readonly categories: readonly string[];
  /** Pixels that each category has. */
  readonly band: number;
  /** The middle of a category's band; not finite for one that is not there. */
  at(category: string): number;
}

/** `at(v) = start + (v − low) / (high − low) · (end − start)`. */
export function linearScale(domain: readonly [number, number], start: number, end: number): Scale {
  const [low, high] = domain;
  return {
    domain,
    at: (value) => start + ((value - low) / (high - low)) * (end - start),
    ticks: (count) => linearTicks(low, high, count),
  };
}

/** The same of the logarithms. The domain must be positive. */
export function logScale(domain: readonly [number, number], start: number, end: number): Scale {
  const low = Math.log(domain[0]);
  const high = Math.log(domain[1]);
  return {
    domain,
    at: (value) => (value > 0 ? start + ((Math.log(value) - low) / (high - low)) * (end - start) : Number.NaN),
    ticks: (count) => logTicks(domain[0], domain[1], count),
  };
}

/** Equal bands from `start` to `end`. */
export function bandScale(categories: readonly string[], start: number, end: number): BandScale {
  const band = (end - start) / Math.max(1, categories.length);
  return {
    categories,
    band,
    at: (category) => {
      const place = categories.indexOf(category);
      return place === -1 ? Number.NaN : start + (place + 0.5) * band;
    },
  };
}
