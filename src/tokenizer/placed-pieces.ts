/**
 * The pieces of a text with the part of the text that each stands for, as the native library's offsets: white space before
 * a piece is not part of it, a piece of some bytes of a character has the whole character, an unknown word its whole word.
 * A combining mark belongs to the letter before it, also where the normalizer removes it.
 *
 * Known for WordPiece with BERT's words and for byte-level BPE: there pieces spell the normalized text.
 */
import { alignedNormalizer } from './aligned-text.ts';
import { bertWords } from './bert-text.ts';
import type { Normalize } from './normalizer.ts';

/** The parts of a tokenizer that pieces are placed with. */
export interface PlacingPipeline {
  readonly normalize: Normalize;
  /** Whether pieces are of characters after BERT's word splitting, or of bytes. */
  readonly kind: 'bert' | 'bytes';
  /** A text to its words; of bytes, in byte characters. */
  readonly split: (text: string) => readonly string[];
  /** The pieces of a word. */
  readonly encodeWord: (word: string) => readonly string[];
  readonly continuingPrefix: string;
  /** A text to added tokens and what is between them, before normalization. */
  readonly splitRaw: (text: string) => readonly Section[];
  /** The same for tokens that are matched after it. */
  readonly splitNormalized: (text: string) => readonly Section[];
}

/** A part of a text: an added token, or ordinary text. */
export interface Section {
  readonly start: number;
  readonly end: number;
  /** The added token; undefined for text. */
  readonly token: string | undefined;
}

/** A piece and its place in the original text, in UTF-16 units. */
export interface PlacedPiece {
  readonly token: string;
  readonly start: number;
  readonly end: number;
}

/** Makes a function from texts to placed pieces. */
export function piecePlacer(pipeline: PlacingPipeline): (text: string) => PlacedPiece[] {
  const { splitRaw, splitNormalized } = pipeline;
  const align = alignedNormalizer(pipeline.normalize);
  const place = pipeline.kind === 'bert' ? placeWords : placeBytes;
  return (text) => {
    const placed: PlacedPiece[] = [];
    for (const raw of splitRaw(text)) {
      if (raw.token !== undefined) {
        placed.push({ token: raw.token, start: raw.start, end: raw.end });
        continue;
      }
      const aligned = align(text.slice(raw.start, raw.end));
      for (const section of splitNormalized(aligned.text)) {
        const put = (token: string, start: number, end: number): void => {
          if (start >= end) {
            const at = raw.start + (start < aligned.text.length ? aligned.startOf(start) : aligned.endOf(start - 1));
            placed.push({ token, start: at, end: at });
          } else {
            placed.push({ token, start: raw.start + aligned.startOf(start), end: raw.start + aligned.endOf(end - 1) });
          }
        };
        if (section.token !== undefined) put(section.token, section.start, section.end);
        else place(aligned.text.slice(section.start, section.end), section.start, pipeline, put);
      }
    }
    return placed;
  };
}

type Put = (token: string, start: number, end: number) => void;

function placeWords(text: string, offset: number, { encodeWord, continuingPrefix }: PlacingPipeline, put: Put): void {
  let from = 0;
  for (const word of bertWords(text)) {
    from = text.indexOf(word, from);
    const pieces = encodeWord(word);
    const lengths = pieces.map((piece, i) => piece.length - (i > 0 ? continuingPrefix.length : 0));
    const spelled =
      lengths.reduce((sum, length) => sum + length, 0) === word.length && isSpelled(pieces, word, continuingPrefix);
    let at = from;
    for (const [i, piece] of pieces.entries()) {
      if (spelled) put(piece, offset + at, offset + at + lengths[i]!);
      else put(piece, offset + from, offset + from + word.length);
      at += lengths[i]!;
    }
    from += word.length;
  }
}

/** Whether pieces are a word's letters, not an unknown token that happens to be as long. */
function isSpelled(pieces: readonly string[], word: string, prefix: string): boolean {
  return pieces.map((piece, i) => (i > 0 ? piece.slice(prefix.length) : piece)).join('') === word;
}

function placeBytes(text: string, offset: number, { split, encodeWord }: PlacingPipeline, put: Put): void {
  const units = unitsOfBytes(text);
  const byteWords = split(text);
  const total = byteWords.reduce((sum, word) => sum + word.length, 0);
  // A tokenizer may put a space before the text.
  let at = units.length - 1 - total;
  if (at !== 0 && at !== -1) throw new Error('its words do not spell the text');
  for (const word of byteWords) {
    const pieces = encodeWord(word);
    const spelled = pieces.join('') === word;
    const end = at + word.length;
    for (const piece of pieces) {
      const last = spelled ? at + piece.length : end;
      put(piece, ...trimmed(text, offset, units[Math.max(0, at)]!, endUnit(text, units[Math.max(0, last - 1)]!)));
      if (spelled) at = last;
    }
    at = end;
  }
}

/** The UTF-16 unit at which the character of each byte begins, and the length of the text at last. */
function unitsOfBytes(text: string): Int32Array {
  const units: number[] = [];
  for (let i = 0; i < text.length; ) {
    const codePoint = text.codePointAt(i)!;
    const bytes = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    for (let b = 0; b < bytes; b++) units.push(i);
    i += codePoint > 0xffff ? 2 : 1;
  }
  units.push(text.length);
  return Int32Array.from(units);
}

function endUnit(text: string, unit: number): number {
  return unit >= text.length ? unit : unit + (text.codePointAt(unit)! > 0xffff ? 2 : 1);
}

/** Without spaces at both ends; of spaces alone, the empty part after them. */
function trimmed(text: string, offset: number, start: number, end: number): [number, number] {
  let from = start;
  let to = end;
  while (from < to && text[from] === ' ') from++;
  while (to > from && text[to - 1] === ' ') to--;
  return [offset + from, offset + to];
}
