import { describe, expect, it } from 'vitest';
import { cellName, designCells } from './cells.ts';
import { parseDesign, readDesign, type Settings } from './design.ts';

const text = `
name: scale-1
fixed: { data: pairs, maxSteps: 300, optimizer: { decay: 0.01 } }
factors:
  learningRate: [1e-4, 3e-5]
  vocabulary:
    levels:
      word-piece: { tokenizer: wp, documentTopTerms: 1000 }
      expanded: { tokenizer: xp, documentTopTerms: 2000 }
    implies: [dimensions]
seeds: [1, 2]
contrasts:
  - name: expanded is better
    measure: nDCG@10
    plus: { vocabulary: expanded }
    minus: { vocabulary: word-piece }
`;

/** What training would add to the settings. */
const resolve = (settings: Settings): Settings => ({
  dimensions: settings.tokenizer === 'wp' ? 30_000 : 100_000,
  warmup: 0.1,
  ...settings,
});

describe('parseDesign', () => {
  it('reads factors, levels of one setting and of several, and contrasts with their defaults', async () => {
    const design = await parseDesign(text);
    expect(design.factors.learningRate).toEqual({
      levels: { '0.0001': { learningRate: 1e-4 }, '0.00003': { learningRate: 3e-5 } },
      implies: [],
    });
    expect(design.factors.vocabulary?.implies).toEqual(['dimensions']);
    expect(design.runs).toEqual([{ levels: {} }]);
    expect(design.contrasts).toEqual([
      {
        name: 'expanded is better',
        family: 'primary',
        measure: 'nDCG@10',
        plus: { vocabulary: 'expanded' },
        minus: { vocabulary: 'word-piece' },
        claim: 'positive',
        matters: 0,
      },
    ]);
  });

  it.each([
    ['no YAML', 'name: [', /not YAML/],
    ['no mapping', '- 1', /the design:/],
    ['an unknown field', `${text}\nextra: 1`, /extra|Unrecognized/],
    ['a name that is no file name', text.replace('scale-1', 'a b'), /name: expected letters/],
    ['no seeds', text.replace('seeds: [1, 2]', 'seeds: []'), /seeds/],
    ['a seed twice', text.replace('[1, 2]', '[1, 1]'), /a seed occurs twice/],
    [
      'a setting fixed and varied',
      text.replace('data: pairs', 'learningRate: 1'),
      /learningRate is set by the fixed settings too/,
    ],
    [
      'a setting of two factors',
      text.replace('tokenizer: wp,', 'tokenizer: wp, learningRate: 2,'),
      /set by the factor learningRate too/,
    ],
    ['a fixed seed', text.replace('data: pairs', 'seed: 1'), /seed is set by the list/],
    [
      'a contrast of an unknown factor',
      text.replace('plus: { vocabulary:', 'plus: { vocab:'),
      /no factor "vocab"; there are: learningRate, vocabulary/,
    ],
    [
      'a contrast of an unknown level',
      text.replace('plus: { vocabulary: expanded', 'plus: { vocabulary: big'),
      /no level "big"; it has: word-piece, expanded/,
    ],
    ['a run of an unknown level', `${text}\nruns: [{ learningRate: 5 }]`, /no level "5"/],
    [
      'a level twice',
      text.replace('[1e-4, 3e-5]', '[1e-4, 3e-5, 1e-4]'),
      /learningRate: the level 0.0001 occurs twice/,
    ],
    [
      'a contrast of one seed',
      text.replace('seeds: [1, 2]', 'seeds: [1]'),
      /"expanded is better": learningRate=0.0001, vocabulary=expanded has the seed 1 only, and an interval needs two/,
    ],
    [
      'a contrast of levels that are not run',
      `${text}\nruns: [{ vocabulary: word-piece }]`,
      /"expanded is better": no run of the design has vocabulary=expanded/,
    ],
    [
      'a contrast of a side with itself',
      text.replace('minus: { vocabulary: word-piece', 'minus: { vocabulary: expanded'),
      /"expanded is better": both sides are the same runs/,
    ],
    [
      'a contrast that leaves a factor open on one side',
      text.replace('word-piece }\n', 'word-piece, learningRate: 1e-4 }\n'),
      /plus leaves learningRate open \(0.0001, 0.00003\), minus has 0.0001/,
    ],
    [
      'a contrast of sides with other seeds',
      `${text}\nruns: [{ vocabulary: word-piece }, { vocabulary: expanded, seeds: [1, 2, 3] }]`,
      /with seeds 1, 2, 3 \| .* against learningRate=0.00003 with seeds 1, 2 \|/,
    ],
    [
      'more runs than anybody can run',
      `${text}\nruns: [{ seeds: [${Array.from({ length: 25_001 }, (_, i) => i).join()}] }]`,
      /scale-1 has 100004 runs, more than 100000/,
    ],
    [
      'a factor without levels',
      text.replace('learningRate: [1e-4, 3e-5]', 'learningRate: { levels: {} }'),
      /expected a level/,
    ],
  ])('refuses %s', async (_, content, message) => {
    await expect(parseDesign(content, 'd.yaml')).rejects.toMatchObject({
      code: 'CONFIG',
      where: 'd.yaml',
      message: expect.stringMatching(message) as string,
    });
  });

  it('refuses a file that is not there', async () => {
    await expect(readDesign('/nowhere/design.yaml')).rejects.toMatchObject({
      code: 'CONFIG',
      where: '/nowhere/design.yaml',
    });
  });
});

describe('designCells', () => {
  it('crosses all levels and seeds, and knows every run by its content', async () => {
    const cells = designCells(await parseDesign(text), resolve);
    expect(cells.map(cellName)).toEqual([
      'learningRate=0.0001, vocabulary=word-piece, seed 1',
      'learningRate=0.0001, vocabulary=word-piece, seed 2',
      'learningRate=0.0001, vocabulary=expanded, seed 1',
      'learningRate=0.0001, vocabulary=expanded, seed 2',
      'learningRate=0.00003, vocabulary=word-piece, seed 1',
      'learningRate=0.00003, vocabulary=word-piece, seed 2',
      'learningRate=0.00003, vocabulary=expanded, seed 1',
      'learningRate=0.00003, vocabulary=expanded, seed 2',
    ]);
    expect(cells[2]).toMatchObject({
      seed: 1,
      settings: { data: 'pairs', learningRate: 1e-4, tokenizer: 'xp', documentTopTerms: 2000 },
      resolved: { dimensions: 100_000, warmup: 0.1 },
    });
    expect(new Set(cells.map(({ id }) => id)).size).toBe(8);
    const again = designCells(
      await parseDesign(text.replace('data: pairs, maxSteps: 300', 'maxSteps: 300, data: pairs')),
      resolve,
    );
    expect(again.map(({ id }) => id)).toEqual(cells.map(({ id }) => id));
    const other = designCells(await parseDesign(text.replace('300', '301')), resolve);
    expect(other.some(({ id }) => cells.some((cell) => cell.id === id))).toBe(false);
  });

  it('runs a list with seeds of its own', async () => {
    const listed = `${text.slice(0, text.indexOf('contrasts:'))}
runs:
  - { vocabulary: expanded, learningRate: [1e-4, 3e-5], seeds: [7] }
  - { vocabulary: word-piece, learningRate: 3e-5 }
`;
    expect(designCells(await parseDesign(listed), resolve).map(cellName)).toEqual([
      'learningRate=0.0001, vocabulary=expanded, seed 7',
      'learningRate=0.00003, vocabulary=expanded, seed 7',
      'learningRate=0.00003, vocabulary=word-piece, seed 1',
      'learningRate=0.00003, vocabulary=word-piece, seed 2',
    ]);
    const twice = `${text}\nruns: [{ vocabulary: expanded }, { learningRate: 3e-5 }]`;
    await expect(parseDesign(twice).then((design) => designCells(design, resolve))).rejects.toThrow(
      'the run learningRate=0.00003, vocabulary=expanded, seed 1 is listed twice',
    );
  });

  it('refuses what differs outside the declared factors, in resolved settings', async () => {
    const design = await parseDesign(text);
    const hidden = (settings: Settings): Settings => ({
      ...resolve(settings),
      batch: settings.tokenizer === 'wp' ? 64 : 32,
    });
    expect(() => designCells(design, hidden)).toThrow(
      'batch is 64 in (learningRate=0.0001, vocabulary=word-piece, seed 1) and 32 in (learningRate=0.0001, vocabulary=expanded, seed 1), and no factor declares it',
    );
    const nested = (settings: Settings): Settings => ({
      ...resolve(settings),
      optimizer: { decay: settings.learningRate! },
    });
    expect(() => designCells(design, nested)).toThrow(
      /optimizer\.decay is 0\.0001 in .* and 0\.00003 in .*no factor declares it/,
    );
  });

  it('refuses a declared setting that does not follow from its factor', async () => {
    const design = await parseDesign(text);
    // The size of the vocabulary may follow from the vocabulary, but not from the learning rate.
    const wrong = (settings: Settings): Settings => ({ ...resolve(settings), dimensions: settings.learningRate! });
    expect(() => designCells(design, wrong)).toThrow(/dimensions is .* though both have the same level of vocabulary/);
    const absent = (settings: Settings): Settings =>
      settings.tokenizer === 'wp' ? settings : { ...settings, warmup: 1 };
    expect(() => designCells(design, absent)).toThrow(/warmup is absent in .* and 1 in/);
    const declared = await parseDesign(text.replace('[dimensions]', '[dimensions, warmup]'));
    expect(designCells(declared, absent)).toHaveLength(8);
  });
});
