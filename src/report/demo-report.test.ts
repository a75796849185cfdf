import { beforeAll, describe, expect, it } from 'vitest';
import type { Qrels } from '../data/qrels.ts';
import type { Run } from '../data/run.ts';
import { compareRuns } from '../evaluate/compare-runs.ts';
import { Random } from '../util/random.ts';
import type { DemoReportData, DemoTrainingStep } from './demo/data.ts';
import { demoReport } from './demo-report.ts';
import { unbalancedTags } from './unbalanced-tags.suite.ts';

/** Runs in which the first system is a little better than the second. */
function syntheticRuns(random: Random): { qrels: Qrels; runs: Run[]; texts: Map<string, string> } {
  const qrels: Qrels = new Map();
  const texts = new Map<string, string>();
  const runs: Run[] = [new Map(), new Map(), new Map(), new Map()];
  for (let q = 0; q < 200; q++) {
    const qid = `q${String(q).padStart(3, '0')}`;
    qrels.set(qid, new Map([['wanted', 1]]));
    texts.set(qid, `Returns the ${['first', 'last', 'next', 'nearest'][q % 4]} of the ${q} values <of> "x" & 'y'.`);
    const ease = random.uniform();
    for (const [i, run] of runs.entries()) {
      const rank = Math.floor((ease + random.uniform() * 0.6) * [9, 16, 14, 8][i]!);
      const docids = Array.from({ length: 10 }, (_, place) => (place === rank ? 'wanted' : `d${place}`));
      run.set(
        qid,
        docids.map((docid, place) => ({ docid, score: 10 - place })),
      );
    }
  }
  return { qrels, runs, texts };
}

function syntheticSteps(random: Random): DemoTrainingStep[] {
  return Array.from({ length: 120 }, (_, i) => {
    const ramp = Math.min(1, (i + 1) / 40) ** 2;
    const baseLoss = 3.6 * Math.exp(-i / 30) + 0.5 + 0.08 * random.normal();
    const queryRegularizerLoss = 0.14 * ramp;
    const documentRegularizerLoss = 0.11 * ramp;
    return {
      step: (i + 1) * 3,
      seconds: (i + 1) * 1.42,
      loss: baseLoss + queryRegularizerLoss + documentRegularizerLoss,
      baseLoss,
      queryRegularizerLoss,
      documentRegularizerLoss,
      queryActiveDims: 70 + 2600 * Math.exp(-i / 9),
      documentActiveDims: 60 + 2900 * Math.exp(-i / 8),
      learningRate: 1e-3 * Math.min((i + 1) / 8, 1 - (i - 8) / 113),
    };
  });
}

const measures = ['RR@10', 'nDCG@10', 'R@10'];
const names = ['Lexray', 'BM25', 'BM25 stemmed', 'Lexray + BM25 stemmed'];

function syntheticData(): DemoReportData {
  const random = new Random(7);
  const { qrels, runs, texts } = syntheticRuns(random);
  const against = (a: number, b: number) => ({
    a: names[a]!,
    b: names[b]!,
    measures: compareRuns(qrels, runs[a]!, runs[b]!, measures, { samples: 500 }).measures,
  });
  const comparisons = [against(1, 0), against(2, 0), against(0, 3)];
  const estimates = [
    comparisons[0]!.measures,
    comparisons[0]!.measures,
    comparisons[1]!.measures,
    comparisons[2]!.measures,
  ];
  return {
    created: '2026-01-02T03:04:05.000Z',
    tool: 'lexray 0.1.0',
    task: {
      source: 'the packages of this project, read with TypeScript 6.0.3',
      packages: 80,
      documents: 15820,
      trainQueries: 10743,
      devQueries: 1372,
      testQueries: 200,
    },
    measures,
    systems: names.map((name, i) => ({
      name,
      measures: Object.fromEntries(estimates[i]!.map((one) => [one.measure, i === 1 || i === 2 ? one.a : one.b])),
      ...(i === 3 ? {} : { queryActiveDims: [81.2, 11.4, 11.1][i]!, documentActiveDims: [65.3, 14.9, 14.6][i]! }),
      ...(i === 3 ? {} : { flops: [2.31, 0.62, 0.7][i]!, indexBytes: [8.3e6, 2.1e6, 2.0e6][i]! }),
      queryMilliseconds: { median: [3.12, 0.21, 0.24, 3.4][i]!, p95: [4.8, 0.4, 0.5, 12.25][i]! },
    })),
    comparisons,
    training: {
      steps: syntheticSteps(random),
      dev: [60, 120, 180, 240, 300, 360].map((step, i) => ({ step, value: 0.31 - 0.22 * Math.exp(-i) })),
      devMeasure: 'RR@10',
      keptStep: 300,
      recipe: { layers: 2, 'hidden size': 128, vocabulary: 8192, 'learning rate': 0.001, λq: 0.001, λd: 0.001 },
    },
    postings: [0, 1].map((i) => ({
      system: names[i]!,
      lengths: Array.from({ length: 3000 }, () => Math.floor(Math.exp(3 + i + 1.6 * random.normal()))),
    })),
    examples: Array.from({ length: 4 }, (_, i) => ({
      query: texts.get(`q00${i}`)!,
      relevant: [`Array find Last : predicate value T index number obj T boolean ${i}`],
      rankings: names.map((system, s) => ({
        system,
        hits: Array.from({ length: s === 1 && i === 2 ? 0 : 3 }, (_, place) => ({
          title: `Type ${place} get The Value <T> : key string options Map Options undefined ${'of a long signature '.repeat(place)}`,
          relevant: place === (s + i) % 5,
        })),
        ...((s + i) % 5 < 3 ? { rank: ((s + i) % 5) + 1 } : {}),
      })),
    })),
    queryTexts: texts,
    expansions: [
      {
        title: 'fs promises read File : path Path Like options Promise Buffer',
        terms: [
          { token: 'read', weight: 1.92, inText: true },
          { token: 'file', weight: 1.81, inText: true },
          { token: 'contents', weight: 1.43, inText: false },
          { token: 'asynchronously', weight: 1.1, inText: false },
          { token: '##ing', weight: 0.31, inText: false },
        ],
      },
    ],
    environment: {
      cpu: 'Some Processor 3000',
      cores: 2,
      node: 'v20.20.2',
      platform: 'linux x64',
      threads: 2,
      seed: 1,
      phases: [
        { name: 'read declarations', seconds: 2.6 },
        { name: 'train the vocabulary', seconds: 1.4 },
        { name: 'train the model', seconds: 148.2 },
        { name: 'encode and search', seconds: 12.9 },
      ],
      other: { onnxruntime: '1.30.0' },
    },
  };
}

let data: DemoReportData;
let page: string;
beforeAll(() => {
  data = syntheticData();
  page = demoReport(data);
});

/** Text as a reader sees it. */
const visible = (html: string): string =>
  html
    .replace(/<(style|title|desc)>[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ');

describe('demoReport', () => {
  it('is the page that was looked at', async () => {
    await expect(page).toMatchFileSnapshot('../../test/snapshots/demo-report.html');
  });

  it('is well-formed and has all parts', () => {
    expect(unbalancedTags(page)).toEqual([]);
    for (const heading of [
      'Results on',
      'Paired',
      'The task',
      'Training',
      'Postings',
      'Example',
      'Wins',
      'adds',
      'Environment',
    ]) {
      expect(page).toMatch(new RegExp(`<h2>[^<]*${heading}`));
    }
    expect(page.match(/<svg xmlns/g)).toHaveLength(8);
  });

  it('fetches nothing and runs nothing', () => {
    expect(page).toContain('default-src &#39;none&#39;');
    expect(page).not.toMatch(/<script|<link|<iframe|<img|\son\w+=|@import|url\(/i);
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
  });

  it('shows the figures of the data', () => {
    const text = visible(page);
    const { a, b, difference, wins } = data.comparisons[0]!.measures[0]!;
    expect(text).toContain(`Lexray reaches RR@10 ${b.mean.toFixed(3)} [${b.low.toFixed(3)}, ${b.high.toFixed(3)}]`);
    expect(text).toContain(`That is better than BM25: ${a.mean.toFixed(3)} there`);
    expect(text).toContain(`+${difference.mean.toFixed(3)}`);
    expect(text).toContain(`of Lexray is above that of BM25 for ${wins} queries`);
    expect(text).toContain('15,820');
    expect(text).toContain('7.9 MiB');
    expect(text).toContain('2 min 28 s');
    expect(text).toContain('contents 1.43');
    expect(text).toContain('not found');
  });

  it('escapes every text', () => {
    const mark = '<b class="x">&\'';
    const hostile = JSON.parse(JSON.stringify(data).replaceAll('Lexray', '<b class=\\"x\\">&\'')) as DemoReportData;
    const html = demoReport({ ...hostile, queryTexts: new Map([...data.queryTexts].map(([qid]) => [qid, mark])) });
    expect(html).not.toContain('<b ');
    expect(html).toContain('&lt;b class=&quot;x&quot;&gt;&amp;&#39;');
    expect(unbalancedTags(html)).toEqual([]);
  });

  it('says so when the trained model is worse, or when nobody can tell', () => {
    const [first, ...others] = data.comparisons;
    const shifted = (mean: number, low: number, high: number): DemoReportData => ({
      ...data,
      comparisons: [
        {
          ...first!,
          measures: first!.measures.map((one) => ({ ...one, difference: { mean, low, high, confidence: 0.95 } })),
        },
        ...others,
      ],
    });
    expect(visible(demoReport(shifted(-0.05, -0.07, -0.03)))).toContain('That is worse than BM25');
    expect(visible(demoReport(shifted(0.01, -0.02, 0.04)))).toContain('The difference to BM25 could be chance');
  });

  it('survives a run in which everything died', () => {
    const dead = demoReport({
      ...data,
      systems: [],
      comparisons: [],
      training: { ...data.training, steps: [], dev: [] },
      postings: [{ system: 'Lexray', lengths: [] }],
      examples: [],
      expansions: [],
    });
    expect(unbalancedTags(dead)).toEqual([]);
    expect(dead).toContain('Nothing was measured.');
    expect(dead).toContain('no data');
    expect(dead).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('draws no NaN where the loss was not finite', () => {
    const steps = data.training.steps.map((step, i) =>
      i > 50 ? { ...step, loss: Number.NaN, queryActiveDims: 0 } : step,
    );
    expect(demoReport({ ...data, training: { ...data.training, steps } })).not.toMatch(/NaN|Infinity/);
  });
});
