// Makes the texts of the pre-training study from those of scripts/models/pairs.mjs, which leave out what the collections hold:
//
//     node studies/pretraining-data.mjs --pairs studies/data -o studies/data/pretraining
//
// | file | what |
// |---|---|
// | common.jsonl | half of the Wikipedia articles: with the novels, the texts of the common checkpoint |
// | general.jsonl | the other half: the general corpus of the study |
// | titles.jsonl | Debian's synopses and WordNet's glosses of the train side: the in-domain corpus |
// | held-out-general.jsonl, held-out-titles.jsonl | one text of fifty of either, in neither corpus |
//
// A text is on one side by a hash of what it says, blanks and case aside, so that copies stay together. Where a text of one file
// stands whole in another file, it is left out there.
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
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

const keyOf = (line) => {
  const { title, text } = JSON.parse(line);
  return [title, text].filter(Boolean).join(' ').normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').trim();
};
const share = (key) => createHash('sha256').update(`side ${key}`).digest().readUInt32BE(0) / 2 ** 32;
const heldOutShare = 0.02;

const sides = { common: [], general: [], titles: [], 'held-out-general': [], 'held-out-titles': [] };
const seen = new Set();
const put = (side, line, key) => {
  if (seen.has(key)) return;
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
