/** The designs in the repository are what they say: they can be read, and their runs and contrasts fit together. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { seedsForFamily } from './analysis/sign-flip.ts';
import { finetuneCell } from './cells/finetune-cell.ts';
import { parseFinetuneCell } from './cells/finetune-settings.ts';
import { pretrainCell } from './cells/pretrain-cell.ts';
import { designCells, designRuns } from './cells.ts';
import { checkLines } from './check-lines.ts';
import { checkMeasured } from './contrast-sides.ts';
import { readDesign, readExploratory } from './design.ts';
import { readResults } from './results-file.ts';
import { selectCells } from './select-cells.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../studies/${name}`, import.meta.url));

describe('studies/calibration.yaml', () => {
  it('has the runs of its plan, and contrasts that its seeds can answer', async () => {
    const design = await readDesign(path('calibration.yaml'));
    const cells = designCells(design, (settings) => finetuneCell.resolve(settings, new Map()));
    expect(cells).toHaveLength(387);
    const contrasts = design.contrasts;
    expect(contrasts).toHaveLength(6);
    expect(seedsForFamily(contrasts.length)).toBeLessThanOrEqual(8);
    for (const { plus, minus } of contrasts) {
      for (const side of [plus, minus]) {
        const named = designRuns(design).filter(({ levels }) =>
          Object.entries(side).every(([factor, level]) => levels[factor] === level),
        );
        expect(named.map(({ levels, seeds }) => [levels.backbone, seeds.length])).toEqual([
          ['uncased', 8],
          ['bpe', 8],
          ['cased', 8],
        ]);
      }
    }
  });

  it('selects cells by levels or id', async () => {
    const cells = designCells(await readDesign(path('calibration.yaml')));
    const some = cells.filter(
      selectCells('gain=16, correction=none, gainArm=C, learningRate=full, lambda=given, backbone=bpe', cells),
    );
    expect(some.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(cells.filter(selectCells(some[3]!.id.slice(0, 10), cells))).toEqual([some[3]]);
    expect(() => selectCells('gain=3', cells)).toThrow(/no cell/);
    expect(() => selectCells('some text', cells)).toThrow(/FACTOR=LEVEL/);
  });
});

describe('studies/pretraining.yaml', () => {
  it('has the runs of its plan, and contrasts that its seeds can answer', async () => {
    const design = await readDesign(path('pretraining.yaml'));
    const cells = designCells(design, (settings) => pretrainCell.resolve(settings, new Map()));
    expect(cells).toHaveLength(84);
    const contrasts = design.contrasts;
    expect(contrasts).toHaveLength(6);
    expect(seedsForFamily(contrasts.length)).toBeLessThanOrEqual(8);
    for (const { name, plus, minus } of contrasts) {
      const [left, right] = [plus, minus].map((side) =>
        designRuns(design).filter(({ levels }) =>
          Object.entries(side).every(([factor, level]) => levels[factor] === level),
        ),
      );
      expect([name, left!.length > 0, left!.length]).toEqual([name, true, right!.length]);
      for (const { seeds } of [...left!, ...right!]) expect([name, seeds.length]).toEqual([name, 8]);
    }
    // Seeds are of pre-training: no two runs share one.
    const trained = cells.filter(({ levels }) => levels.rate !== 'none');
    const pretrainings = new Set(trained.map(({ resolved, seed }) => JSON.stringify([resolved.pretrain, seed])));
    expect(pretrainings.size).toBe(trained.length);
  });
});

describe.each(['calibration', 'pretraining'])('studies/%s.exploratory.yaml', (name) => {
  it('has contrasts whose sides have the same runs, or the seeds that are named', async () => {
    const design = await readDesign(path(`${name}.yaml`));
    const { contrasts } = await readExploratory(path(`${name}.exploratory.yaml`), [design]);
    const names = contrasts.map((one) => [one.family, one.name, one.measure, one.collection].join());
    expect(new Set(names).size).toBe(names.length);
    for (const { name: asked, plus, minus, seeds } of contrasts) {
      const [left, right] = [plus, minus].map((side) =>
        designRuns(design)
          .filter(({ levels }) => Object.entries(side).every(([factor, level]) => levels[factor] === level))
          .map((run) => [run.levels.backbone, seeds?.filter((seed) => run.seeds.includes(seed)) ?? run.seeds]),
      );
      const backbones =
        plus.backbone === undefined ? Object.keys(design.factors.backbone?.levels ?? { one: {} }) : [''];
      expect([asked, left!.length, left]).toEqual([asked, backbones.length, right]);
      if (seeds) for (const [, found] of left!) expect([asked, found]).toEqual([asked, seeds]);
    }
  });
});

describe('every design', () => {
  const names = readdirSync(path('')).filter((name) => name.endsWith('.yaml'));
  const [asked, designs] = [true, false].map((later) =>
    names.filter((name) => name.includes('.exploratory.') === later),
  ) as [string[], string[]];

  it.each(designs)('%s has settings that a cell takes, and contrasts that its runs can answer', async (name) => {
    const design = await readDesign(path(name));
    const kind = design.fixed.cell === 'pretrain' ? pretrainCell : finetuneCell;
    const cells = designCells(design, (settings) => kind.resolve(settings, new Map()));
    for (const contrast of design.contrasts) checkMeasured(contrast, cells, kind.measured);
    expect(cells.length).toBeGreaterThan(2);
  });

  it.each(asked)('%s asks what the runs of its design can answer', async (name) => {
    const design = await readDesign(path(name.replace('.exploratory', '')));
    const kind = design.fixed.cell === 'pretrain' ? pretrainCell : finetuneCell;
    const { contrasts } = await readExploratory(path(name), [design]);
    for (const contrast of contrasts) checkMeasured(contrast, designCells(design), kind.measured);
  });
});

describe.each(['calibration', 'calibration-shift', 'pilot', 'pretraining'])('studies/results/%s.jsonl.gz', (name) => {
  it('has runs of its design, as they were written', async () => {
    const lines = await readResults(path(`results/${name}.jsonl.gz`));
    checkLines(lines, { design: await readDesign(path(`${name}.yaml`)), where: name });
    expect(lines.length).toBeGreaterThan(2);
  });
});

describe('studies/example.yaml', () => {
  it('fits, and shows what a cell takes', async () => {
    const cells = designCells(await readDesign(path('example.yaml')));
    expect(cells).toHaveLength(12);
    expect(parseFinetuneCell(cells.find(selectCells('gain=0.25, correction=none', cells))!.settings)).toMatchObject({
      gain: 0.25,
      gainArm: 'C',
      correction: 'none',
      proposals: true,
    });
  });
});
