/** The range of values that an axis shows: what the marks need, widened to round ends. */
import { tickStep } from './ticks.ts';

/** What a mark needs of the axes. `undefined` where it has no finite value. */
export interface Extent {
  readonly x?: readonly [number, number];
  readonly y?: readonly [number, number];
  readonly categories?: readonly string[];
}

/** The smallest and largest finite value, or `undefined` when there is none. */
export function extentOf(values: Iterable<number | undefined>): readonly [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value === undefined || !Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : undefined;
}

/** How a domain is chosen. */
export interface DomainOptions {
  readonly scale: 'linear' | 'log';
  /** Whether zero must be in a linear domain. */
  readonly zero: boolean;
  /** Whether the ends are moved outwards to round values. */
  readonly round: boolean;
  /** Whether room is left at the ends, for marks that have a size. */
  readonly pad: boolean;
}

/** Values of this size are zero: less has no room for steps. */
const smallest = 1e-290;
/** Values that differ by this share of their size are one value: ticks between them could not be told apart. */
const nearlyEqual = 1e-9;
/** Share of the range that is left free at each end. */
const padding = 0.04;

/** A domain that holds all the extents: never empty, and positive for a logarithmic scale. */
export function chooseDomain(
  extents: readonly (readonly [number, number] | undefined)[],
  options: DomainOptions,
): [number, number] {
  const values = extents.flatMap((extent) => extent ?? []);
  const usable = options.scale === 'log' ? values.filter((value) => value > smallest) : values;
  let [low, high] = extentOf(options.zero && options.scale === 'linear' ? [...usable, 0] : usable) ?? [0, 1];
  if (options.scale === 'log') {
    if (low <= smallest) [low, high] = [1, 10];
    if (high / low <= 1 + nearlyEqual) [low, high] = [low / 2, high * 2];
    if (options.pad) [low, high] = [low * (low / high) ** padding, high * (high / low) ** padding];
    return options.round ? [roundDown(low), roundUp(high)] : [low, high];
  }
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size <= smallest) [low, high] = options.zero ? [0, 1] : [-1, 1];
  else if (high - low <= size * nearlyEqual) [low, high] = [low - size * 0.1, high + size * 0.1];
  if (options.pad) {
    const room = (high - low) * padding;
    [low, high] = [low === 0 && options.zero ? 0 : low - room, high + room];
  }
  if (!options.round) return [low, high];
  const step = tickStep(high - low, 5);
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

/** The next of 1, 2, 5 times a power of ten below. */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) + 1e-9);
  const ratio = value / power;
  return (ratio >= 5 ? 5 : ratio >= 2 ? 2 : 1) * power;
}

/** The next of 1, 2, 5 times a power of ten above. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value) - 1e-9);
  const ratio = value / power;
  return (ratio <= 2 ? (ratio <= 1 ? 1 : 2) : ratio <= 5 ? 5 : 10) * power;
}
