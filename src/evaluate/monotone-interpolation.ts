/**
 * Interpolation through points that never overshoots: piecewise cubic Hermite polynomials with the slopes of Fritsch and
 * Butland, "A Method for Constructing Local Monotone Piecewise Cubic Interpolants", SIAM J. Sci. Stat. Comput. 5(2), 1984
 * (PCHIP). Between two points the curve stays between their values; where the points rise, it rises. With steps hᵢ and
 * secant slopes mᵢ the slope at an inner point is
 *
 *     0 where mᵢ₋₁ and mᵢ differ in sign or one is 0,   else   (w₁ + w₂) / (w₁/mᵢ₋₁ + w₂/mᵢ),   w₁ = 2hᵢ + hᵢ₋₁, w₂ = hᵢ + 2hᵢ₋₁
 *
 * and at an end that of a parabola through three points, kept from overshooting. Beyond the ends there is no value.
 */
import { badInput } from '../util/errors.ts';

/**
 * Interpolates.
 * @param xs strictly ascending, at least one
 * @param ys as many values
 * @returns the value at x, or `undefined` when x lies outside the points: it is never extrapolated
 * @throws LexrayError BAD_INPUT when there are no points, or as many values as places are not given, or places do not ascend
 */
export function interpolateMonotone(xs: ArrayLike<number>, ys: ArrayLike<number>, x: number): number | undefined {
  const n = xs.length;
  if (n === 0 || ys.length !== n) throw badInput(`a curve needs as many values as places, got ${ys.length} and ${n}`);
  for (let i = 1; i < n; i++) {
    if (!(xs[i]! > xs[i - 1]!)) throw badInput(`the places of a curve must ascend, but ${xs[i]} follows ${xs[i - 1]}`);
  }
  if (!(x >= xs[0]! && x <= xs[n - 1]!)) return undefined;
  if (n === 1) return ys[0]!;
  let i = 0;
  while (i < n - 2 && x > xs[i + 1]!) i++;
  const h = xs[i + 1]! - xs[i]!;
  const t = (x - xs[i]!) / h;
  const s = 1 - t;
  return (
    ys[i]! * (1 + 2 * t) * s * s +
    h * slopeAt(xs, ys, i) * t * s * s +
    ys[i + 1]! * t * t * (3 - 2 * t) -
    h * slopeAt(xs, ys, i + 1) * t * t * s
  );
}

function slopeAt(xs: ArrayLike<number>, ys: ArrayLike<number>, i: number): number {
  const step = (j: number): number => xs[j + 1]! - xs[j]!;
  const secant = (j: number): number => (ys[j + 1]! - ys[j]!) / step(j);
  const last = xs.length - 1;
  if (last === 1) return secant(0);
  if (i === 0) return endSlope(step(0), step(1), secant(0), secant(1));
  if (i === last) return endSlope(step(last - 1), step(last - 2), secant(last - 1), secant(last - 2));
  const [before, after] = [secant(i - 1), secant(i)];
  if (before * after <= 0) return 0;
  const near = 2 * step(i) + step(i - 1);
  const far = step(i) + 2 * step(i - 1);
  return (near + far) / (near / before + far / after);
}

/** The slope at an end: of the outer step and secant, and of the next ones. */
function endSlope(outer: number, inner: number, outerSecant: number, innerSecant: number): number {
  const slope = ((2 * outer + inner) * outerSecant - outer * innerSecant) / (outer + inner);
  if (Math.sign(slope) !== Math.sign(outerSecant)) return 0;
  if (Math.sign(outerSecant) !== Math.sign(innerSecant) && Math.abs(slope) > 3 * Math.abs(outerSecant)) {
    return 3 * outerSecant;
  }
  return slope;
}
