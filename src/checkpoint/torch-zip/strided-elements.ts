/**
 * The elements of a strided view of a storage in row-major order: element (i0, i1, …) is at offset + Σ i_k · stride_k.
 * A view that lies in that order already is read where it is; others (a transposed matrix, every second row) are
 * gathered once into memory.
 */
import type { ByteSource } from '../byte-source.ts';
import type { ElementReader } from '../tensor-file.ts';

/** A view of the elements that begin at `position` in a file. All counts are in elements of `width` bytes. */
export interface StridedView {
  readonly position: number;
  readonly width: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Bytes of an element are stored last to first. */
  readonly bigEndian: boolean;
}

/** Where the storage is this much larger than the view, elements are read one by one and not with all that is between. */
const sparseFactor = 16;

/** How many elements a view has. */
export function elementCount({ shape }: Pick<StridedView, 'shape'>): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** How many elements a storage must have at least for a view of it. */
export function requiredLength({ offset, shape, strides }: Pick<StridedView, 'offset' | 'shape' | 'strides'>): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((last, size, axis) => last + (size - 1) * strides[axis]!, offset) + 1;
}

/** Opens a view that lies inside its storage. */
export async function readStrided(source: ByteSource, view: StridedView): Promise<ElementReader> {
  const { position, width, offset, bigEndian } = view;
  const run = contiguousRun(view);
  if (run >= elementCount(view)) {
    return async (target, start) => {
      await source.read(target, position + offset * width + start);
      if (bigEndian) reverseElements(target, width);
    };
  }
  const gathered = await gather(source, view, run);
  if (bigEndian) reverseElements(gathered, width);
  return async (target, start) => target.set(gathered.subarray(start, start + target.length));
}

/** How many elements follow each other in the file, from the start of each innermost block. */
function contiguousRun({ shape, strides }: StridedView): number {
  let run = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (strides[axis] !== run) break;
    run *= shape[axis]!;
  }
  return run;
}

async function gather(source: ByteSource, view: StridedView, run: number): Promise<Uint8Array> {
  const { position, width, offset } = view;
  const total = elementCount(view) * width;
  const target = new Uint8Array(total);
  const span = (requiredLength(view) - offset) * width;
  const block = run * width;
  if (span > sparseFactor * total || block >= 1 << 16) {
    let at = 0;
    for (const start of blockStarts(view, run)) {
      await source.read(target.subarray(at, at + block), position + start * width);
      at += block;
    }
    return target;
  }
  const all = new Uint8Array(span);
  await source.read(all, position + offset * width);
  let at = 0;
  for (const start of blockStarts(view, run)) {
    const from = (start - offset) * width;
    for (let i = 0; i < block; i++) target[at + i] = all[from + i]!;
    at += block;
  }
  return target;
}

/** The element where each block of `run` elements begins, in row-major order. */
function* blockStarts({ offset, shape, strides }: StridedView, run: number): Generator<number> {
  const outer: { size: number; stride: number }[] = [];
  let inner = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (inner < run) inner *= shape[axis]!;
    else if (shape[axis] !== 1) outer.unshift({ size: shape[axis]!, stride: strides[axis]! });
  }
  const index = outer.map(() => 0);
  let start = offset;
  for (;;) {
    yield start;
    let axis = outer.length - 1;
    for (; axis >= 0; axis--) {
      const { size, stride } = outer[axis]!;
      start += stride;
      index[axis]!++;
      if (index[axis]! < size) break;
      start -= stride * size;
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

function reverseElements(bytes: Uint8Array, width: number): void {
  for (let start = 0; start < bytes.length; start += width) bytes.subarray(start, start + width).reverse();
}
