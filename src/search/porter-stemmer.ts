/**
 * The Porter stemmer: takes the endings off English words in five steps, so that "relational" and "relate" meet.
 *
 * M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, as published, without the departures of later
 * programs, except that words of one or two letters are left alone, as in Porter's own program.
 *
 * Letters are consonants (c) or vowels (v: a e i o u, and y after a consonant). A word has the form [C](VC)ᵐ[V], C and V
 * being runs of them; m is the measure of the word.
 */

/** An ending, and what replaces it when its condition holds for the stem before it. */
type Rule = readonly [ending: string, replacement: string, condition?: (stem: string) => boolean];

const hasMeasureAbove0 = (stem: string): boolean => measure(stem) > 0;
const hasMeasureAbove1 = (stem: string): boolean => measure(stem) > 1;

const step1a: readonly Rule[] = [
  ['sses', 'ss'],
  ['ies', 'i'],
  ['ss', 'ss'],
  ['s', ''],
];

const step2: readonly Rule[] = rules(hasMeasureAbove0, {
  ational: 'ate',
  tional: 'tion',
  enci: 'ence',
  anci: 'ance',
  izer: 'ize',
  abli: 'able',
  alli: 'al',
  entli: 'ent',
  eli: 'e',
  ousli: 'ous',
  ization: 'ize',
  ation: 'ate',
  ator: 'ate',
  alism: 'al',
  iveness: 'ive',
  fulness: 'ful',
  ousness: 'ous',
  aliti: 'al',
  iviti: 'ive',
  biliti: 'ble',
});

const step3: readonly Rule[] = rules(hasMeasureAbove0, {
  icate: 'ic',
  ative: '',
  alize: 'al',
  iciti: 'ic',
  ical: 'ic',
  ful: '',
  ness: '',
});

const step4: readonly Rule[] = [
  ...rules(
    hasMeasureAbove1,
    Object.fromEntries(
      'al ance ence er ic able ible ant ement ment ent ou ism ate iti ous ive ize'.split(' ').map((s) => [s, '']),
    ),
  ),
  ['ion', '', (stem) => hasMeasureAbove1(stem) && /[st]$/.test(stem)],
];

/** The stem of a lower-case word. Words with other characters than a to z come back as they are. */
export function porterStem(word: string): string {
  if (word.length < 3 || !/^[a-z]+$/.test(word)) return word;
  let stem = applyLongest(word, step1a);
  stem = removePast(stem);
  if (stem.endsWith('y') && hasVowel(stem.slice(0, -1))) stem = `${stem.slice(0, -1)}i`;
  stem = applyLongest(stem, step2);
  stem = applyLongest(stem, step3);
  stem = applyLongest(stem, step4);
  return tidy(stem);
}

/** Step 1b: -eed, -ed and -ing. */
function removePast(word: string): string {
  if (word.endsWith('eed')) return hasMeasureAbove0(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const ending = word.endsWith('ed') ? 2 : word.endsWith('ing') ? 3 : 0;
  const stem = word.slice(0, word.length - ending);
  if (ending === 0 || !hasVowel(stem)) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsWithDoubleConsonant(stem) && !/[lsz]$/.test(stem)) return stem.slice(0, -1);
  return measure(stem) === 1 && endsWithShortSyllable(stem) ? `${stem}e` : stem;
}

/** Step 5: a last -e, and one of a last -ll. */
function tidy(word: string): string {
  let stem = word;
  if (stem.endsWith('e')) {
    const before = stem.slice(0, -1);
    const m = measure(before);
    if (m > 1 || (m === 1 && !endsWithShortSyllable(before))) stem = before;
  }
  return stem.endsWith('ll') && measure(stem) > 1 ? stem.slice(0, -1) : stem;
}

function rules(condition: (stem: string) => boolean, endings: Readonly<Record<string, string>>): Rule[] {
  return Object.entries(endings).map(([ending, replacement]) => [ending, replacement, condition] as const);
}

/** Applies the rule of the longest ending that the word has; no shorter one is tried when its condition fails. */
function applyLongest(word: string, candidates: readonly Rule[]): string {
  let longest: Rule | undefined;
  for (const rule of candidates) {
    if (word.endsWith(rule[0]) && rule[0].length > (longest?.[0].length ?? 0)) longest = rule;
  }
  if (longest === undefined) return word;
  const [ending, replacement, condition] = longest;
  const stem = word.slice(0, word.length - ending.length);
  return condition === undefined || condition(stem) ? stem + replacement : word;
}

function isConsonant(word: string, at: number): boolean {
  const letter = word[at]!;
  if (letter === 'y') return at === 0 || !isConsonant(word, at - 1);
  return !'aeiou'.includes(letter);
}

/** How often a vowel is followed by a consonant. */
function measure(stem: string): number {
  let m = 0;
  for (let i = 1; i < stem.length; i++) if (isConsonant(stem, i) && !isConsonant(stem, i - 1)) m++;
  return m;
}

function hasVowel(stem: string): boolean {
  for (let i = 0; i < stem.length; i++) if (!isConsonant(stem, i)) return true;
  return false;
}

function endsWithDoubleConsonant(stem: string): boolean {
  const last = stem.length - 1;
  return last > 0 && stem[last] === stem[last - 1] && isConsonant(stem, last);
}

/** Consonant, vowel, consonant other than w, x and y. */
function endsWithShortSyllable(stem: string): boolean {
  const last = stem.length - 1;
  return (
    last >= 2 &&
    isConsonant(stem, last - 2) &&
    !isConsonant(stem, last - 1) &&
    isConsonant(stem, last) &&
    !/[wxy]$/.test(stem)
  );
}
