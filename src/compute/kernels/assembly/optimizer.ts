// Optimizer kernels on f32 arrays in one imported memory. Pointers are byte offsets, aligned to 16; lengths are counted
// in elements and rounded up to 4 by the host, which keeps the padding zero.

/** Sum of squares, in f64: blocks of 1024 in four f32 lanes of four, then added in f64. */
export function sumOfSquares(pointer: usize, length: usize): f64 {
  let total: f64 = 0;
  const end = pointer + (length << 2);
  while (pointer < end) {
    let stop = pointer + 4096;
    if (stop > end) stop = end;
    let a = f32x4.splat(0), b = f32x4.splat(0);
    for (; pointer + 32 <= stop; pointer += 32) {
      const x = v128.load(pointer), y = v128.load(pointer, 16);
      a = f32x4.add(a, f32x4.mul(x, x));
      b = f32x4.add(b, f32x4.mul(y, y));
    }
    for (; pointer < stop; pointer += 16) {
      const x = v128.load(pointer);
      a = f32x4.add(a, f32x4.mul(x, x));
    }
    a = f32x4.add(a, b);
    total += <f64>f32x4.extract_lane(a, 0) + <f64>f32x4.extract_lane(a, 1)
           + <f64>f32x4.extract_lane(a, 2) + <f64>f32x4.extract_lane(a, 3);
  }
  return total;
}

/**
 * One AdamW step (Loshchilov and Hutter, arXiv 1711.05101), as PyTorch computes it:
 * w ← w·(1 − lr·decay) − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε), the gradient first multiplied by `scale` (clipping).
 * Moments below 1e-30 are set to zero: WebAssembly cannot flush denormals, and they are ten times slower.
 */
export function adamW(
  w: usize, g: usize, m: usize, v: usize, length: usize,
  learningRate: f64, beta1: f64, beta2: f64, epsilon: f64, decay: f64, correction1: f64, rootCorrection2: f64, scale: f64,
): void {
  // Figures such as 1 - beta2 are taken in f64: from the f32 nearest to 0.999 they would be 1e-5 off.
  const b1 = splat(beta1), c1 = splat(1 - beta1), b2 = splat(beta2), c2 = splat(1 - beta2);
  const eps = splat(epsilon), keep = splat(1 - learningRate * decay), rate = splat(learningRate / correction1);
  const root = splat(1 / rootCorrection2), factor = splat(scale), tiny = splat(1e-30);
  const end = length << 2;
  for (let i: usize = 0; i < end; i += 16) {
    const gradient = f32x4.mul(v128.load(g + i), factor);
    let first = f32x4.add(f32x4.mul(v128.load(m + i), b1), f32x4.mul(gradient, c1));
    let second = f32x4.add(f32x4.mul(v128.load(v + i), b2), f32x4.mul(f32x4.mul(gradient, gradient), c2));
    first = v128.and(first, f32x4.gt(f32x4.abs(first), tiny));
    second = v128.and(second, f32x4.gt(second, tiny));
    v128.store(m + i, first);
    v128.store(v + i, second);
    const step = f32x4.div(f32x4.mul(first, rate), f32x4.add(f32x4.mul(f32x4.sqrt(second), root), eps));
    v128.store(w + i, f32x4.sub(f32x4.mul(v128.load(w + i), keep), step));
  }
}

function splat(x: f64): v128 {
  return f32x4.splat(<f32>x);
}
