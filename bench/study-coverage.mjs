// How often the intervals of `lexray study` hold a known effect, and how often its tests find one that is not there, on
// simulated data: seeds 3, 5, 8 by queries 50, 150, 500, seven ways of where the variance comes from, normal and sparse.
//
//     node scripts/build.mjs
//     node bench/study-coverage.mjs [--studies 2000] [--bootstraps 200] [--families 1000] [--fine 0] [--json FILE]
//
// --fine N searches the shares of the variance for the worst coverage of the t interval, N studies a point, 50 queries.
//
// The claim: 95 % intervals cover 93 to 97 %, and the family-wise error without an effect is at most .05. No timing.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { analyseFamily } from '../dist/study/analysis/contrast-family.js';
import { crossedBootstrap } from '../dist/study/analysis/crossed-bootstrap.js';
import { crossedInterval } from '../dist/study/analysis/crossed-interval.js';
import { componentsOfShares, simulateContrast } from '../dist/study/analysis/simulate-contrast.js';
import { Random } from '../dist/util/random.js';
import { printTable } from './peer.mjs';

const { values } = parseArgs({
  options: {
    studies: { type: 'string', default: '2000' },
    bootstraps: { type: 'string', default: '200' },
    families: { type: 'string', default: '1000' },
    fine: { type: 'string', default: '0' },
    json: { type: 'string' },
  },
});

// Shares of the variance of the mean that come from seeds, queries and the residual.
const scenarios = {
  thirds: [1 / 3, 1 / 3, 1 / 3],
  '.2 .4 .4': [0.2, 0.4, 0.4],
  '.2 0 .8': [0.2, 0, 0.8],
  '.5 0 .5': [0.5, 0, 0.5],
  '.9 0 .1': [0.9, 0, 0.1],
  '.1 .9 0': [0.1, 0.9, 0],
  '0 0 1': [0, 0, 1],
};
const designs = [3, 5, 8].flatMap((seeds) => [50, 150, 500].map((queries) => ({ seeds, queries })));

function coverage(studies, design, shares, shape, intervalOf) {
  const [seed, query, residual] = shares;
  const components = componentsOfShares({ seed, query, residual }, design.seeds, design.queries);
  const random = new Random(1000 * design.seeds + design.queries);
  let held = 0;
  for (let i = 0; i < studies; i++) {
    const { low, high } = intervalOf(simulateContrast({ ...design, effect: 1, components, shape }, random));
    if (low <= 1 && high >= 1) held++;
  }
  return held / studies;
}

const results = { coverage: [], familyError: [] };
const methods = [
  ['t, normal', 'normal', Number(values.studies), (scores) => crossedInterval(scores)],
  ['t, sparse', 'sparse', Number(values.studies), (scores) => crossedInterval(scores)],
  [
    'two-way bootstrap, normal',
    'normal',
    Number(values.bootstraps),
    (scores) => crossedBootstrap(scores, { samples: 400 }),
  ],
];
for (const [name, shape, studies, intervalOf] of methods) {
  if (studies === 0) continue;
  const rows = designs.map((design) => {
    const shares = Object.entries(scenarios).map(([scenario, parts]) => {
      const held = coverage(studies, design, parts, shape, intervalOf);
      results.coverage.push({ method: name, ...design, scenario, studies, coverage: held });
      return held.toFixed(3);
    });
    return [`${design.seeds} x ${design.queries}`, ...shares];
  });
  const error = Math.sqrt((0.95 * 0.05) / studies).toFixed(4);
  console.log(`\nCoverage of 95 % intervals: ${name}; ${studies} studies a cell, standard error ${error}`);
  console.log('Columns: shares of the variance of the mean from seeds, queries, residual');
  printTable([['seeds x queries', ...Object.keys(scenarios)], ...rows]);
}

if (Number(values.fine) > 0) {
  const seedShares = [0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.95, 1];
  const queryShares = [0, 0.1, 0.3, 0.5, 0.7, 0.9, 1];
  const points = seedShares.flatMap((seed) =>
    queryShares.map((part) => [seed, part * (1 - seed), (1 - part) * (1 - seed)]),
  );
  const rows = [3, 5, 8].map((seeds) => {
    const held = points.map((shares) =>
      coverage(Number(values.fine), { seeds, queries: 50 }, shares, 'normal', (scores) => crossedInterval(scores)),
    );
    const at = (value) => points[held.indexOf(value)].map((share) => share.toFixed(2)).join(' ');
    const [least, most] = [Math.min(...held), Math.max(...held)];
    const within = held.filter((value) => value >= 0.93 && value <= 0.97).length;
    return [seeds, least.toFixed(3), at(least), most.toFixed(3), at(most), `${within} of ${points.length}`];
  });
  console.log(`\nWorst coverage of t intervals over ${points.length} ways to share the variance, 50 queries`);
  printTable([['seeds', 'least', 'at', 'most', 'at', '.93 to .97'], ...rows]);
}

// Six variants against one base line, 8 seeds, 100 queries, no effect.
const nulls = {
  'no effect on any query': { seed: 1, query: 0, residual: 40 },
  'none on average, but on queries': { seed: 1, query: 40, residual: 40 },
};
const families = Number(values.families);
const errorRows = Object.entries(nulls).map(([name, components]) => {
  const random = new Random(99);
  const half = Object.fromEntries(Object.entries(components).map(([part, value]) => [part, value / 2]));
  const cell = () => simulateContrast({ seeds: 8, queries: 100, effect: 0.5, components: half }, random);
  const errors = { flip: 0, flipRaw: 0, t: 0, tRaw: 0, verdict: 0 };
  for (let family = 0; family < families; family++) {
    const base = cell();
    const contrasts = Array.from({ length: 6 }, (_, i) => ({
      name: `variant ${i}`,
      cells: [
        { scores: cell(), weight: 1 },
        { scores: base, weight: -1 },
      ],
      claim: 'none',
    }));
    const found = analyseFamily(contrasts, { samples: 1 });
    if (found.some(({ signFlip }) => signFlip.pHolm <= 0.05)) errors.flip++;
    if (found.some(({ signFlip }) => signFlip.pValue <= 0.05)) errors.flipRaw++;
    if (found.some(({ effect }) => effect.pHolm <= 0.05)) errors.t++;
    if (found.some(({ effect }) => effect.pValue <= 0.05)) errors.tRaw++;
    if (found.some(({ verdict }) => verdict === 'confirmed')) errors.verdict++;
  }
  results.familyError.push({ null: name, families, ...errors });
  return [name, ...Object.values(errors).map((count) => (count / families).toFixed(3))];
});
if (families > 0) {
  console.log(`\nFamily-wise error of six contrasts with one base line, 8 seeds, 100 queries; ${families} families`);
  printTable([['without effect', 'sign-flip, Holm', 'sign-flip, raw', 't, Holm', 't, raw', 'verdicts'], ...errorRows]);
}

if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
