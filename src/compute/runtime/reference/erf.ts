/**
 * The error function in full double precision (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1):
 * for |x| < 2 the series 7.1.6, erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1)/(1·3·…·(2n+1)), whose terms are all positive;
 * beyond it the continued fraction 7.1.14, erfc x = e^(−x²)/√π · 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + 2/(x + …))))).
 */

const boundary = 2;
const fractionDepth = 120;

/** erf x = 2/√π · ∫₀ˣ e^(−t²) dt */
export function erf(x: number): number {
  if (Math.abs(x) < boundary) return series(x);
  return x > 0 ? 1 - fraction(x) : fraction(-x) - 1;
}

/** erfc x = 1 − erf x, without cancellation for large x. */
export function erfc(x: number): number {
  if (x >= boundary) return fraction(x);
  return 1 - erf(x);
}

function series(x: number): number {
  const square = x * x;
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-18; n++) {
    term *= (2 * square) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-square) * sum;
}

function fraction(x: number): number {
  let tail = x;
  for (let n = fractionDepth; n >= 1; n--) tail = x + n / 2 / tail;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / tail;
}
