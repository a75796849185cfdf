/**
 * The order of strings by their UTF-8 bytes, which is the order by code points. JavaScript's own `<` compares UTF-16
 * units and puts characters beyond U+FFFF before U+E000 to U+FFFF; `strcmp`, and so trec_eval, does not.
 */

/** Negative when `a` comes before `b` in byte order, positive when after, 0 when equal. */
export function compareByteOrder(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return surrogatesLast(x) - surrogatesLast(y);
  }
  return a.length - b.length;
}

function surrogatesLast(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
