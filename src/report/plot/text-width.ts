/**
 * The width of a text in a sans-serif face, estimated from classes of characters: there is no browser to ask. Margins
 * and legends are laid out by it; it is rather too wide than too narrow.
 */

/** Estimated width in pixels. @param size font size in pixels */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const sign of text) {
    const code = sign.codePointAt(0) ?? 0;
    if (code >= 0x1100) ems += 1.05;
    else if (/[ijltfrI.,:;'|!()[\] ]/.test(sign)) ems += 0.34;
    else if (/[mwMW@%]/.test(sign)) ems += 0.9;
    else if (/[A-Z]/.test(sign)) ems += 0.69;
    else ems += 0.58;
  }
  return ems * size;
}

/** Breaks a text at spaces into lines of at most `width` pixels; a longer word stays whole. */
export function wrapText(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`, size) <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
