import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadRecipe } from './load-recipe.ts';
import { applyOverrides, parseOverride } from './overrides.ts';
import { recipeNames } from './recipe-names.ts';
import { resolvedRecipe } from './resolved-recipe.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray recipes '));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the recipes that come with Lexray', () => {
  it('are all there by name', async () => {
    const files = await readdir(fileURLToPath(new URL('.', import.meta.url)));
    const yaml = files.filter((name) => name.endsWith('.yaml')).map((name) => name.replace(/\.yaml$/, ''));
    expect(yaml.sort()).toEqual([...recipeNames].sort());
  });

  it.each(recipeNames)('%s says where each setting comes from', (name) => {
    const recipe = loadRecipe(name);
    expect(recipe.name).toBe(name);
    const named = recipe.origins.flatMap(({ settings }) => settings);
    expect(named.sort()).toEqual(Object.keys(recipe.settings).sort());
    expect(recipe.usualSteps ?? recipe.settings.maxSteps).toBeGreaterThan(0);
    expect(recipe.expected.every(({ value }) => Number.isFinite(value))).toBe(true);
  });

  it.each([
    ['rescaling-2606.18811', 'ModernBERT-base, k = 8', 'nDCG@10', 'BEIR-13', 0.405],
    ['splade-max', 'DistilBERT', 'RR@10', 'MS MARCO dev', 0.34],
  ])('%s expects of %s %s on %s', (name, model, figure, on, value) => {
    expect(loadRecipe(name).expected).toContainEqual(expect.objectContaining({ model, figure, on, value }));
  });
});

describe('loadRecipe', () => {
  const bad: [string, string, RegExp][] = [
    ['no YAML', 'name: [', /not YAML/],
    ['a list', '- 1', /does not fit: at its top/],
    ['nothing', '', /does not fit: at its top/],
    ['no settings', 'name: a\ntitle: a\nsource: a', /settings: /],
    ['an unknown key', 'name: a\ntitle: a\nsource: a\nsettings: {}\nsetings: {}', /there is no "setings" here/],
    ['a key twice', 'name: a\nname: b', /not YAML/],
    ['a name that is a path', 'name: ../a\ntitle: a\nsource: a\nsettings: {}', /name: expected letters/],
    [
      'another grade',
      'name: a\ntitle: a\nsource: a\nsettings: {}\norigins: [{from: a, grade: sure, settings: []}]',
      /origins\.0\.grade/,
    ],
    ['aliases of aliases', `a: &a [x]\n${bomb()}`, /not YAML/],
  ];

  it.each(bad)('refuses %s', async (_what, text, message) => {
    const path = join(folder, 'recipe.yaml');
    await writeFile(path, text);
    expect(() => loadRecipe(path)).toThrow(message);
    expect(() => loadRecipe(path)).toThrow(expect.objectContaining({ code: 'BAD_INPUT', where: path }));
  });

  it('refuses what is no recipe by its name', async () => {
    expect(() => loadRecipe('splade-mx')).toThrow(
      expect.objectContaining({ code: 'USAGE', cure: 'did you mean splade-max?' }),
    );
    expect(() => loadRecipe('./none.yaml')).toThrow(expect.objectContaining({ code: 'BAD_INPUT' }));
    await writeFile(join(folder, 'big.yaml'), `# ${'x'.repeat(1 << 20)}`);
    expect(() => loadRecipe(join(folder, 'big.yaml'))).toThrow(/bytes, more than/);
  });
});

describe('--set', () => {
  const settings = { learningRate: 1e-5, losses: [{ name: 'kl' }, { name: 'margin-mse', weight: 2 }], maxSteps: 9 };
  const set = (...texts: string[]): unknown => applyOverrides(settings, texts.map(parseOverride));

  it.each<[string[], object]>([
    [['learningRate=1e-4'], { learningRate: 1e-4 }],
    [['learningRate = 1e-4'], { learningRate: 1e-4 }],
    [['guard.mode=warn'], { guard: { mode: 'warn' } }],
    [['guard.mode=warn', 'guard.window=5'], { guard: { mode: 'warn', window: 5 } }],
    [['losses.1.weight=0.05'], { losses: [{ name: 'kl' }, { name: 'margin-mse', weight: 0.05 }] }],
    [['losses.2.name=info-nce'], { losses: [...settings.losses, { name: 'info-nce' }] }],
    [['losses.0=null'], { losses: [settings.losses[1]] }],
    [['losses=[{name: info-nce, temperature: 2}]'], { losses: [{ name: 'info-nce', temperature: 2 }] }],
    [['documentRegularizer={name: df-flops}'], { documentRegularizer: { name: 'df-flops' } }],
    [['devMeasure=RR@10'], { devMeasure: 'RR@10' }],
    [['calibrate=off'], { calibrate: 'off' }],
    [['headCheck=false'], { headCheck: false }],
    [['a=b=c'], { a: 'b=c' }],
  ])('%j', (texts, changed) => {
    expect(set(...texts)).toEqual({ ...settings, ...changed });
  });

  it('takes settings out, and leaves the recipe alone', () => {
    const before = structuredClone(settings);
    expect(set('maxSteps=null')).toEqual({ learningRate: 1e-5, losses: settings.losses });
    expect(set('losses.1.weight=')).toEqual({ ...settings, losses: [{ name: 'kl' }, { name: 'margin-mse' }] });
    expect(settings).toEqual(before);
  });

  it.each<[string, RegExp]>([
    ['learningRate', /expected NAME=VALUE/],
    ['=1', /expected NAME=VALUE/],
    ['a..b=1', /expected NAME=VALUE/],
    ['__proto__.x=1', /expected NAME=VALUE/],
    ['losses=[{', /--set losses: the value is not YAML/],
    ['learningRate.peak=1', /expected a mapping or a list at learningRate, got 0\.00001/],
    ['losses.first.weight=1', /expected a place from 0 to 2 at losses, got "first"/],
    ['losses.5.weight=1', /expected a place from 0 to 2 at losses, got "5"/],
  ])('refuses %s', (text, message) => {
    expect(() => set(text)).toThrow(message);
    expect(() => set(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('the resolved recipe', () => {
  it('is a recipe with the settings of the run', async () => {
    const recipe = loadRecipe('splade-v3');
    const path = join(folder, 'resolved.yaml');
    const settings = { ...recipe.settings, seed: 7, maxSteps: undefined, learningRate: 1e-4 };
    await writeFile(path, resolvedRecipe(recipe, settings, ['learningRate=1e-4']));
    const resolved = loadRecipe(path);
    const { maxSteps: _, ...wanted } = settings;
    expect(resolved).toEqual({
      ...recipe,
      title: `${recipe.title}, as it was run`,
      source: `the recipe splade-v3 (${recipe.source}), with learningRate=1e-4`,
      settings: wanted,
      usualSteps: undefined,
      origins: [],
    });
    await writeFile(path, resolvedRecipe(resolved, settings, Array(300).fill('learningRate=1e-4')));
    expect(loadRecipe(path).title).toBe(resolved.title);
  });
});

/** Seven levels of aliases, each of nine of the one below. */
function bomb(): string {
  const letters = 'abcdefgh';
  return [...letters.slice(1)]
    .map((letter, i) => `${letter}: &${letter} [${Array(9).fill(`*${letters[i]}`).join(', ')}]`)
    .join('\n');
}
