// Search kernels on one imported memory. Pointers are byte offsets; accumulators are aligned to 16 and their number is
// rounded up to 16 by the host, which keeps the padding zero.

/**
 * Adds one postings list: accumulators[documents[i]] += queryWeight · weights[i]. Four products at a time; the sums go to
 * scattered places, one by one.
 */
export function accumulate(documents: usize, weights: usize, count: u32, queryWeight: f32, accumulators: usize): void {
  const end = documents + (<usize>count << 2);
  const rounds = documents + (<usize>(count & ~3) << 2);
  const factor = f32x4.splat(queryWeight);
  for (; documents < rounds; documents += 16, weights += 16) {
    const four = v128.load(documents);
    const products = f32x4.mul(v128.load(weights), factor);
    let a = accumulators + (<usize>i32x4.extract_lane(four, 0) << 2);
    store<f32>(a, load<f32>(a) + f32x4.extract_lane(products, 0));
    a = accumulators + (<usize>i32x4.extract_lane(four, 1) << 2);
    store<f32>(a, load<f32>(a) + f32x4.extract_lane(products, 1));
    a = accumulators + (<usize>i32x4.extract_lane(four, 2) << 2);
    store<f32>(a, load<f32>(a) + f32x4.extract_lane(products, 2));
    a = accumulators + (<usize>i32x4.extract_lane(four, 3) << 2);
    store<f32>(a, load<f32>(a) + f32x4.extract_lane(products, 3));
  }
  for (; documents < end; documents += 4, weights += 4) {
    const a = accumulators + (<usize>load<u32>(documents) << 2);
    store<f32>(a, load<f32>(a) + queryWeight * load<f32>(weights));
  }
}

/** Sets `bytes` bytes to zero. */
export function clear(pointer: usize, bytes: usize): void {
  memory.fill(pointer, 0, bytes);
}

/**
 * The `k` greatest accumulators above 0, best first, as keys at `keys`; returns how many there are. A key is the bits of
 * the score above the complement of the document number: positive floats order as their bits do, so the greater key is
 * the better hit, and of equal scores that with the smaller number. `keys` is a binary heap with the least key on top;
 * once it is full, blocks of 16 accumulators without one above the least score are skipped. Documents come in ascending
 * order, so one that ties with the least score is worse than all that are in.
 */
export function selectTop(accumulators: usize, count: u32, k: u32, keys: usize): u32 {
  if (k == 0) return 0;
  let size: u32 = 0;
  let document: u32 = 0;
  for (; document < count && size < k; document++) {
    const score = load<f32>(accumulators + (<usize>document << 2));
    if (score > 0) {
      store<u64>(keys + (<usize>size << 3), key(score, document));
      size++;
    }
  }
  for (let i: i32 = <i32>(size >> 1) - 1; i >= 0; i--) siftDown(keys, <u32>i, size);
  if (size == k) {
    let least = leastScore(keys);
    for (; document < count && (document & 15) != 0; document++) least = offer(accumulators, document, keys, k, least);
    let bound = f32x4.splat(least);
    for (; document < count; document += 16) {
      const a = accumulators + (<usize>document << 2);
      const better = v128.or(
        v128.or(f32x4.gt(v128.load(a), bound), f32x4.gt(v128.load(a, 16), bound)),
        v128.or(f32x4.gt(v128.load(a, 32), bound), f32x4.gt(v128.load(a, 48), bound)),
      );
      if (v128.any_true(better)) {
        for (let i: u32 = 0; i < 16; i++) least = offer(accumulators, document + i, keys, k, least);
        bound = f32x4.splat(least);
      }
    }
  }
  for (let last = size; last > 1; ) {
    last--;
    const top = load<u64>(keys);
    store<u64>(keys, load<u64>(keys + (<usize>last << 3)));
    store<u64>(keys + (<usize>last << 3), top);
    siftDown(keys, 0, last);
  }
  return size;
}

// @ts-ignore: decorator
@inline
function key(score: f32, document: u32): u64 {
  return (<u64>reinterpret<u32>(score) << 32) | <u64>~document;
}

// @ts-ignore: decorator
@inline
function leastScore(keys: usize): f32 {
  return load<f32>(keys, 4);
}

// @ts-ignore: decorator
@inline
function offer(accumulators: usize, document: u32, keys: usize, k: u32, least: f32): f32 {
  const score = load<f32>(accumulators + (<usize>document << 2));
  if (!(score > least)) return least;
  store<u64>(keys, key(score, document));
  siftDown(keys, 0, k);
  return leastScore(keys);
}

function siftDown(keys: usize, at: u32, size: u32): void {
  const moved = load<u64>(keys + (<usize>at << 3));
  for (;;) {
    let child: u32 = 2 * at + 1;
    if (child >= size) break;
    let least = load<u64>(keys + (<usize>child << 3));
    if (child + 1 < size) {
      const right = load<u64>(keys + (<usize>(child + 1) << 3));
      if (right < least) {
        least = right;
        child++;
      }
    }
    if (moved <= least) break;
    store<u64>(keys + (<usize>at << 3), least);
    at = child;
  }
  store<u64>(keys + (<usize>at << 3), moved);
}
