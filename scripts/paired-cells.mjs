// Differences between cells of a study, paired by seed, with t intervals over seeds (these queries and texts fixed): what the report has
// only as means of cells, such as CV² of postings or the statistics of a pre-trained model, and scores by source of the query, where
// qids begin with it (`wiki-eval-501`). Exploratory: nothing is corrected. Prints a table in Markdown.
//
//     node scripts/paired-cells.mjs RESULTS.jsonl.gz --plus rate=high,corpus=general --minus rate=low,corpus=general \
//         --metric "eval 5/10 postings cv2" --metric "mlm general accuracy"
//     node scripts/paired-cells.mjs RESULTS.jsonl.gz --plus … --minus … --score "eval 5/10 RR@10"
//
// Where a side names several cells, their mean counts for each seed; that nothing else differs between the sides is for you to see to.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root, setUp } from './setup.mjs';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    plus: { type: 'string' },
    minus: { type: 'string' },
    metric: { type: 'string', multiple: true, default: [] },
    score: { type: 'string', multiple: true, default: [] },
  },
});
if (positionals.length !== 1 || !given.plus || !given.minus || given.metric.length + given.score.length === 0) {
  console.error(
    'usage: node scripts/paired-cells.mjs RESULTS --plus LEVELS --minus LEVELS --metric NAME … --score NAME …',
  );
  process.exit(2);
}
setUp();
const moduleAt = (...path) => import(pathToFileURL(join(root, 'dist', ...path)).href);
const [{ readResults }, { seedInterval }, { mean }] = await Promise.all([
  moduleAt('study', 'results-file.js'),
  moduleAt('study', 'analysis', 'seed-interval.js'),
  moduleAt('util', 'mean.js'),
]);
const lines = await readResults(positionals[0]);

const levelsOf = (text) => Object.fromEntries(text.split(',').map((part) => part.split('=')));
const side = (text) => {
  const wanted = Object.entries(levelsOf(text));
  const found = lines.filter(({ levels }) => wanted.every(([factor, level]) => levels[factor] === level));
  if (found.length === 0) throw new Error(`no run has ${text}`);
  return groupBy(found, ({ seed }) => seed);
};
const groupBy = (items, key) => {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
};
const [plus, minus] = [side(given.plus), side(given.minus)];
const seeds = [...plus.keys()].filter((seed) => minus.has(seed)).sort((a, b) => a - b);

const rows = [];
const row = (name, figureOf) => {
  const differences = seeds.map((seed) => mean(plus.get(seed).map(figureOf)) - mean(minus.get(seed).map(figureOf)));
  if (!differences.every(Number.isFinite)) throw new Error(`not every run has ${name}`);
  const { mean: value, low, high } = seedInterval(differences);
  const signed = (x) => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(Math.abs(value) >= 10 ? 0 : 3)}`;
  const above = differences.filter((difference) => difference > 0).length;
  rows.push(`| ${name} | ${signed(value)} | [${signed(low)}, ${signed(high)}] | ${above} of ${seeds.length} |`);
};
for (const name of given.metric) row(name, ({ metrics }) => metrics[name]);
for (const name of given.score) {
  const at = name.lastIndexOf(' ');
  const [place, measure] = [name.slice(0, at), name.slice(at + 1)];
  const sources = groupBy(
    lines[0].scores[place].qids.map((qid, i) => [qid.split('-')[0], i]),
    ([source]) => source,
  );
  for (const [source, members] of [['all', [...sources.values()].flat()], ...sources]) {
    const picked = members.map(([, i]) => i);
    row(`${name}, ${source} (${picked.length} queries)`, ({ scores }) => {
      const values = scores[place].measures[measure];
      return mean(picked.map((i) => values[i]));
    });
  }
}
console.log('| | difference | 95 % over seeds | seeds above 0 |\n|---|---|---|---|');
console.log(rows.join('\n'));
