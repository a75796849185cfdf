// A Markdown table of several runs on several collections: each run's mean with its 95 % bootstrap interval over queries, and what
// the first run is above each other, with interval and the p of a randomisation test, corrected by Holm over the table.
//
//     node scripts/models/runs-table.mjs --collection titles=FOLDER … --run lexray-tiny=RUNS/tiny-{}.trec --run BM25=RUNS/bm25-{}.trec …
//         [--split eval] [--measure nDCG@10]
//
// `{}` in the path of a run stands for the collection's name; a run that is not there is left out.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareRuns, holm, readQrels, readRun } from '../../dist/index.js';

const { values: options } = parseArgs({
  options: {
    collection: { type: 'string', multiple: true, default: [] },
    run: { type: 'string', multiple: true, default: [] },
    split: { type: 'string', default: 'eval' },
    measure: { type: 'string', default: 'nDCG@10' },
  },
});
if (options.collection.length === 0 || options.run.length < 2) {
  console.error('usage: node scripts/models/runs-table.mjs --collection NAME=FOLDER … --run LABEL=PATH …');
  process.exit(2);
}
const named = (text) => {
  const [name, ...rest] = text.split('=');
  return [name, rest.join('=')];
};
const [first, ...others] = options.run.map(named);
const rows = [];
for (const [name, folder] of options.collection.map(named)) {
  const qrels = await readQrels(join(folder, 'qrels', `${options.split}.tsv`));
  const run = await readRun(first[1].replace('{}', name));
  for (const [label, pattern] of others) {
    const path = pattern.replace('{}', name);
    if (!existsSync(path)) continue;
    const { measures, queries } = compareRuns(qrels, await readRun(path), run, [options.measure]);
    rows.push({ name, label, queries, ...measures[0] });
  }
}
const corrected = holm(rows.map(({ randomization }) => randomization.pValue));
const figure = (value) =>
  value
    .toFixed(3)
    .replace(/^(-?)0/, '$1')
    .replace('-', '−');
const interval = ({ mean, low, high }) => `${figure(mean)} [${figure(low)}, ${figure(high)}]`;
console.log(`| ${options.measure} | | ${first[0]} above it | p |\n|---|---|---|---|`);
for (const [i, { name, label, queries, a, b, difference }] of rows.entries()) {
  if (rows[i - 1]?.name !== name) console.log(`| **${name}**, ${queries} queries: ${first[0]} | ${interval(b)} | | |`);
  console.log(`| ${label} | ${interval(a)} | ${interval(difference)} | ${corrected[i].toFixed(4)} |`);
}
