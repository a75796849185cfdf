// What a ranking loss above chance at some share of the steps says of the end of a run: from the results of a study whose cells fine-tune
// by InfoNCE, nothing is trained. Prints a table in Markdown: collapsed runs that were above chance and those that were not, and the
// same of the others. Collapse is as the study defines it, over the cells that are in the file.
//
//     node scripts/loss-above-chance.mjs RESULTS.jsonl.gz [--shares .3,.4,.5,.6,.7]

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root, setUp } from './setup.mjs';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: { shares: { type: 'string', default: '.3,.4,.5,.6,.7' } },
});
if (positionals.length !== 1) {
  console.error('usage: node scripts/loss-above-chance.mjs RESULTS.jsonl.gz [--shares .3,.4,.5,.6,.7]');
  process.exit(2);
}
setUp();
const { readResults } = await import(pathToFileURL(join(root, 'dist', 'study', 'results-file.js')).href);
const lines = await readResults(positionals[0]);

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const groupBy = (items, key) => {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
};
const backbones = groupBy(lines, ({ levels }) => levels.backbone ?? 'all');
const [dev] = Object.keys(lines[0].scores);
const measure = `${dev} ${Object.keys(lines[0].scores[dev].measures)[0]}`;

console.log(
  '| backbone | share of the steps | collapsed, above chance | collapsed, below | not collapsed, above | not collapsed, below |',
);
console.log('|---|---|---|---|---|---|');
for (const [backbone, runs] of backbones) {
  const cells = groupBy(runs, ({ levels }) => JSON.stringify(levels));
  const best = Math.max(...[...cells.values()].map((cell) => mean(cell.map(({ metrics }) => metrics[measure]))));
  const collapsed = ({ metrics }) => metrics.collapsed === 1 || metrics[measure] < best / 2;
  for (const share of given.shares.split(',').map(Number)) {
    const above = ({ curves, resolved }) => {
      const at = curves.step.findIndex((step) => step >= share * resolved.maxSteps);
      const documents = resolved.batchSize * (1 + resolved.negativesPerQuery);
      return !(curves.base_loss[at] <= Math.log(documents));
    };
    const count = (...tests) => runs.filter((run) => tests.every((test) => test(run))).length;
    const not = (test) => (run) => !test(run);
    const row = [
      count(collapsed, above),
      count(collapsed, not(above)),
      count(not(collapsed), above),
      count(not(collapsed), not(above)),
    ];
    console.log(`| ${[backbone, share, ...row].join(' | ')} |`);
  }
}
