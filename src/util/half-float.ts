/**
 * Half-precision numbers as raw 16-bit words.
 *
 * F16 (IEEE 754 binary16): 1 sign, 5 exponent (bias 15), 10 fraction bits; largest finite value 65504.
 * BF16 (bfloat16): the upper 16 bits of binary32.
 * Encoding rounds to the nearest value, ties to even; values beyond the largest finite one become infinite.
 */

const word = new Uint32Array(1);
const number = new Float32Array(word.buffer);
let f16Table: Float32Array | undefined;

/** The value of a binary16 word. */
export function fromF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** The binary16 word nearest to a number (taken as binary32). */
export function toF16(value: number): number {
  number[0] = value;
  const bits = word[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13);
  if (magnitude < 0x33000000) return sign;
  const shift = 126 - (magnitude >>> 23);
  return sign | roundShift(0x800000 | (magnitude & 0x7fffff), shift);
}

/** The value of a bfloat16 word. */
export function fromBf16(bits: number): number {
  word[0] = bits << 16;
  return number[0]!;
}

/** The bfloat16 word nearest to a number (taken as binary32). */
export function toBf16(value: number): number {
  number[0] = value;
  const bits = word[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return roundShift(bits, 16);
}

/** Decodes binary16 words into `target`, which has the same length. */
export function decodeF16(source: Uint16Array, target: Float32Array): void {
  f16Table ??= Float32Array.from({ length: 65536 }, (_, bits) => fromF16(bits));
  for (let i = 0; i < source.length; i++) target[i] = f16Table[source[i]!]!;
}

/** Decodes bfloat16 words into `target`, which has the same length. */
export function decodeBf16(source: Uint16Array, target: Float32Array): void {
  const words = new Uint32Array(target.buffer, target.byteOffset, source.length);
  for (let i = 0; i < source.length; i++) words[i] = source[i]! << 16;
}

/** Encodes numbers as binary16 words. */
export function encodeF16(source: Float32Array): Uint16Array {
  const target = new Uint16Array(source.length);
  for (let i = 0; i < source.length; i++) target[i] = toF16(source[i]!);
  return target;
}

/** Encodes numbers as bfloat16 words. */
export function encodeBf16(source: Float32Array): Uint16Array {
  const target = new Uint16Array(source.length);
  for (let i = 0; i < source.length; i++) target[i] = toBf16(source[i]!);
  return target;
}

/** `value >>> shift`, rounded to the nearest integer, ties to even. */
function roundShift(value: number, shift: number): number {
  const quotient = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (quotient & 1) === 1) ? quotient + 1 : quotient;
}
