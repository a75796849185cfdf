/**
 * What a unigram is. In a text, a unigram is a run of letters, marks and numbers that begins with a letter or a number; a
 * Han character, with the marks after it, is one by itself. Joiners that are not seen (soft hyphen, zero-width joiner and
 * non-joiner, word joiner) do not end a run, and are left out of it. Every other character parts unigrams.
 *
 * So a unigram never reaches across a place where BERT's or GPT-2's tokenizer ends a word because of white space or ASCII
 * punctuation, and its pieces are its own. Apostrophes and hyphens part (`don't` is `don` and `t`, as for BERT), unlike in
 * Unicode Annex 29; scripts without spaces other than Han stay unparted, which needs a dictionary.
 *
 * A term is a unigram normalized: NFKC or NFC, lower case, marks removed or not. Unigrams that are then no longer one run,
 * or too long, are no terms.
 */
import type { UnigramRule } from '../../checkpoint/layouts/output-vocabulary.ts';
import { normalizeBounded } from '../unicode-normalize.ts';

/** Settings of {@link unigramRule}. */
export interface UnigramRuleOptions {
  /** @default 'NFKC' */
  readonly normalization?: UnigramRule['normalization'] | undefined;
  /** @default true */
  readonly lowercase?: boolean | undefined;
  /** @default false */
  readonly stripAccents?: boolean | undefined;
  /** Code points of a term at most. @default 64 */
  readonly maxLength?: number | undefined;
}

/** A rule with defaults filled in. */
export function unigramRule(options: UnigramRuleOptions = {}): UnigramRule {
  return {
    segmentation: 'letters-marks-numbers',
    normalization: options.normalization ?? 'NFKC',
    lowercase: options.lowercase ?? true,
    stripAccents: options.stripAccents ?? false,
    maxLength: options.maxLength ?? 64,
    unicode: process.versions.unicode ?? 'unknown',
  };
}

/** Kinds of characters. */
const parting = 0;
const mark = 1;
const joiner = 2;
const starting = 3;
const han = 4;
/** The first half of a pair: looked at with the second. */
const surrogate = 5;

/** Soft hyphen, zero-width non-joiner and joiner, word joiner. */
const joiners = /\u00AD|\u200C|\u200D|\u2060/gu;

function kindOf(codePoint: number): number {
  const character = String.fromCodePoint(codePoint);
  if (character.replace(joiners, '') === '') return joiner;
  if (/\p{M}/u.test(character)) return mark;
  if (!/[\p{L}\p{N}]/u.test(character)) return parting;
  return /\p{Script=Han}/u.test(character) ? han : starting;
}

let planeKinds: Uint8Array | undefined;
const laterKinds = new Map<number, number>();

/** The kind of each character of the basic plane; made when it is first asked for. */
function kindsOfPlane(): Uint8Array {
  planeKinds ??= Uint8Array.from({ length: 1 << 16 }, (_, unit) =>
    unit >= 0xd800 && unit < 0xdc00 ? surrogate : unit >= 0xdc00 && unit < 0xe000 ? parting : kindOf(unit),
  );
  return planeKinds;
}

function laterKind(codePoint: number): number {
  let kind = laterKinds.get(codePoint);
  if (kind === undefined) {
    kind = kindOf(codePoint);
    if (laterKinds.size < 1 << 17) laterKinds.set(codePoint, kind);
  }
  return kind;
}

/**
 * Calls `visit` with the place of each unigram, from left to right.
 * @param visit gets the first UTF-16 unit and the one after the last
 */
export function scanUnigrams(text: string, visit: (start: number, end: number) => void): void {
  const kinds = kindsOfPlane();
  const { length } = text;
  /** Where the unigram that has begun starts; -1 where none has. */
  let start = -1;
  /** After its last letter, mark or number: joiners at the end are not part of it. */
  let end = 0;
  let inHan = false;
  for (let i = 0; i < length; ) {
    let kind = kinds[text.charCodeAt(i)]!;
    let next = i + 1;
    if (kind === surrogate) {
      const codePoint = text.codePointAt(i)!;
      kind = codePoint > 0xffff ? laterKind(codePoint) : parting;
      if (codePoint > 0xffff) next++;
    }
    if (kind === mark) {
      if (start !== -1) end = next;
    } else if (kind !== joiner) {
      const goesOn = kind === starting && start !== -1 && !inHan;
      if (start !== -1 && !goesOn) visit(start, end);
      if (kind === parting) start = -1;
      else if (!goesOn) start = i;
      inHan = kind === han;
      end = next;
    }
    i = next;
  }
  if (start !== -1) visit(start, end);
}

/** A unigram in a text. */
export interface Unigram {
  /** First UTF-16 unit. */
  readonly start: number;
  /** After the last. */
  readonly end: number;
}

/** All unigrams of a text, from left to right. */
export function findUnigrams(text: string): Unigram[] {
  const found: Unigram[] = [];
  scanUnigrams(text, (start, end) => found.push({ start, end }));
  return found;
}

let planeSettled: Uint8Array | undefined;

/**
 * Characters of the basic plane, Han aside, that no rule changes, and that do not compose with what stands before them: of letters
 * and numbers only the inner parts of Hangul syllables do (U+1160 to U+11FF, U+D7B0 to U+D7FF). A run of them is its own term.
 */
function settledOfPlane(): Uint8Array {
  const kinds = kindsOfPlane();
  planeSettled ??= Uint8Array.from(kinds, (kind, unit) => {
    if (kind !== starting || (unit >= 0x1160 && unit < 0x1200) || (unit >= 0xd7b0 && unit < 0xd800)) return 0;
    const character = String.fromCharCode(unit);
    const plain = character.normalize('NFKD').replace(/\p{Mn}/gu, '');
    return plain.normalize('NFC') === character && character.toLowerCase() === character ? 1 : 0;
  });
  return planeSettled;
}

function isSettled(unigram: string): boolean {
  const settled = settledOfPlane();
  for (let i = 0; i < unigram.length; i++) if (settled[unigram.charCodeAt(i)] === 0) return false;
  return unigram.length > 0;
}

const plain = /^[0-9A-Za-z]+$/;

/**
 * The term of a unigram.
 * @returns undefined when there is none: too long, or several runs after normalization (`½` is `1⁄2` in NFKC)
 */
export function termOf(unigram: string, rule: UnigramRule): string | undefined {
  const { normalization, lowercase, stripAccents, maxLength } = rule;
  if (unigram.length <= maxLength && isSettled(unigram)) return unigram;
  if (unigram.length <= maxLength && plain.test(unigram)) return lowercase ? unigram.toLowerCase() : unigram;
  if (lowercase && unigram.length <= maxLength && unigram.normalize('NFKC') === unigram) {
    const lower = unigram.toLowerCase();
    if (lower.length <= maxLength && isSettled(lower)) return lower;
  }
  if (unigram.length > 8 * maxLength) return undefined;
  const normalize = (text: string): string =>
    normalization === 'none' ? text : normalizeBounded(text, (part) => part.normalize(normalization));
  let term = normalize(unigram.replace(joiners, ''));
  if (lowercase) term = normalize(term.toLowerCase());
  if (stripAccents) {
    term = normalizeBounded(term, (part) =>
      part
        .normalize('NFD')
        .replace(/\p{Mn}/gu, '')
        .normalize('NFC'),
    );
  }
  if (term.length > maxLength && [...term].length > maxLength) return undefined;
  let whole = false;
  let runs = 0;
  scanUnigrams(term, (start, end) => {
    runs++;
    whole = start === 0 && end === term.length;
  });
  return runs === 1 && whole ? term : undefined;
}
