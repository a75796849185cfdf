// Makes the texts of the pre-training study from those of scripts/models/pairs.mjs, which leave out what the collections hold:
//
//     node studies/pretraining-data.mjs --pairs studies/data/pairs -o studies/data/pretraining
//
// | file | what |
// |---|---|
// | common.jsonl | half of the Wikipedia articles: with the novels, the texts of the common checkpoint |
// | general.jsonl | the other half: the general corpus of the study |
// | titles.jsonl | Debian's synopses and WordNet's glosses of the train side: the in-domain corpus |
// | held-out-general.jsonl, held-out-titles.jsonl | one text of fifty of either, in neither corpus |
//
// A text is on one side by a hash of what it says, blanks and case aside, so that copies stay together. A text is left out that
// is a judged document or a query of the collection `titles`, or has one of eight words or more within it: the pairs are split by
// article and synset, but some sentences stand in several.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';

const { values: options } = parseArgs({
  options: { pairs: { type: 'string' }, output: { type: 'string', short: 'o' } },
});
if (!options.pairs || !options.output) {
  console.error('usage: node studies/pretraining-data.mjs --pairs FOLDER -o FOLDER');
  process.exit(2);
}

async function* records(name) {
  const file = join(options.pairs, 'texts', `${name}.jsonl.gz`);
  if (!existsSync(file)) {
    console.error(`there is no ${file}: make it with scripts/models/pairs.mjs`);
    process.exit(3);
  }
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity });
  for await (const line of lines) if (line) yield line;
}

const normalize = (text) => text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
const keyOf = (line) => {
  const { title, text } = JSON.parse(line);
  return normalize([title, text].filter(Boolean).join(' '));
};

const windowWords = 8;
const whole = new Set();
const starts = new Map(); // first eight words → held-out texts
{
  const rows = (file) =>
    readFileSync(join(options.pairs, 'titles', file), 'utf8')
      .split('\n')
      .filter(Boolean);
  const judged = new Set(
    ['dev', 'eval'].flatMap((split) =>
      rows(`qrels/${split}.tsv`)
        .slice(1)
        .map((row) => row.split('\t')[1]),
    ),
  );
  const documents = rows('corpus.jsonl').map((line) => JSON.parse(line));
  const held = [
    ...documents.filter(({ _id }) => judged.has(_id)).map(({ title, text }) => [title, text].filter(Boolean).join(' ')),
    ...rows('queries.jsonl').map((line) => JSON.parse(line).text),
  ];
  for (const text of new Set(held.map(normalize))) {
    whole.add(text);
    const words = text.split(' ');
    if (words.length < windowWords) continue;
    const start = words.slice(0, windowWords).join(' ');
    starts.set(start, [...(starts.get(start) ?? []), text]);
  }
}
function isHeldOut(key) {
  if (whole.has(key)) return true;
  const words = key.split(' ');
  for (let i = 0; i + windowWords <= words.length; i++) {
    for (const text of starts.get(words.slice(i, i + windowWords).join(' ')) ?? []) {
      if (words.slice(i).join(' ').startsWith(text)) return true;
    }
  }
  return false;
}
const share = (key) => createHash('sha256').update(`side ${key}`).digest().readUInt32BE(0) / 2 ** 32;
const heldOutShare = 0.02;

const sides = { common: [], general: [], titles: [], 'held-out-general': [], 'held-out-titles': [] };
const seen = new Set();
let leftOut = 0;
const put = (side, line, key) => {
  if (seen.has(key)) return;
  if (isHeldOut(key)) {
    leftOut++;
    return;
  }
  seen.add(key);
  sides[side].push(line);
};
for await (const line of records('wiki')) {
  const key = keyOf(line);
  const at = share(key);
  put(at < heldOutShare ? 'held-out-general' : at < (1 + heldOutShare) / 2 ? 'common' : 'general', line, key);
}
for (const name of ['debian', 'wordnet']) {
  for await (const line of records(name)) {
    const key = keyOf(line);
    put(share(key) < heldOutShare ? 'held-out-titles' : 'titles', line, key);
  }
}
mkdirSync(options.output, { recursive: true });
for (const [name, lines] of Object.entries(sides)) {
  writeFileSync(join(options.output, `${name}.jsonl`), lines.map((line) => `${line}\n`).join(''));
}
const words = (lines) => lines.reduce((sum, line) => sum + keyOf(line).split(' ').length, 0);
console.table(
  Object.fromEntries(
    Object.entries(sides).map(([name, lines]) => [name, { texts: lines.length, words: words(lines) }]),
  ),
);
console.log(`${leftOut} texts were left out for what the collection holds`);
