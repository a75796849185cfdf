import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { memorySource } from '../byte-source.ts';
import { openSafetensors } from '../safetensors-reader.ts';
import { writeSafetensors } from '../safetensors-writer.ts';
import { type ModelFolder, openModelFolder, requireSharedEncoder } from './model-folder.ts';

/** Written by sentence-transformers 5.0 and 6.2, and by hand: `scripts/golden/router.py`. */
const goldens = fileURLToPath(new URL('../../../test/fixtures/goldens/router', import.meta.url));
type Golden = 'static-5.0' | 'static-6.2' | 'pair-5.0' | 'pair-6.2' | 'idf';

let temporary = '';
let count = 0;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray-router-'));
});
afterAll(() => rm(temporary, { recursive: true }));

/** A copy of a golden with files written (values that are no strings as JSON) or, with `undefined`, removed. */
async function copyGolden(golden: Golden, files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = join(temporary, `${count++}`);
  await cp(join(goldens, golden), folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await rm(path, { recursive: true, force: true });
    if (content === undefined) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

async function open(folder: string): Promise<{ model: ModelFolder; warnings: string[] }> {
  const warnings: string[] = [];
  const model = await openModelFolder(folder, { onWarning: (message) => warnings.push(message) });
  await model.close();
  return { model, warnings };
}

async function expectRefusal(folder: string, message: RegExp): Promise<void> {
  const error = await open(folder).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LexrayError);
  expect((error as LexrayError).message).toMatch(message);
  expect((error as LexrayError).code).toBe('BAD_INPUT');
}

const staticFolder = 'query_0_SparseStaticEmbedding';
const documents = ['document_0_MLMTransformer', 'document_1_SpladePooling'];
/** The router_config.json of static-5.0, changed. */
const router = (change: {
  types?: Record<string, string>;
  structure?: Record<string, unknown>;
  parameters?: object;
}): Record<string, unknown> => ({
  'router_config.json': {
    types: {
      [staticFolder]: 'x.SparseStaticEmbedding',
      [documents[0]!]: 'x.MLMTransformer',
      [documents[1]!]: 'x.SpladePooling',
      ...change.types,
    },
    structure: { query: [staticFolder], document: documents, ...change.structure },
    parameters: change.parameters ?? {},
  },
});
const query = (...ids: string[]): { structure: Record<string, unknown> } => ({ structure: { query: ids } });

describe('a router', () => {
  it.each(['static-5.0', 'static-6.2'] as const)('%s: queries by token weights', async (golden) => {
    const { model, warnings } = await open(join(goldens, golden));
    expect(model).toMatchObject({
      layout: 'sentence-transformers',
      pooling: { strategy: 'max', activation: 'log1p_relu' },
      maxSequenceLength: 24,
      query: {
        kind: 'static',
        tokenizerFolder: join(goldens, golden, staticFolder),
        frozen: false,
        maxSequenceLength: 24,
        casing: 'keep',
      },
      policy: { maxLength: { query: 24, document: 24 } },
    });
    const { query: side } = model;
    const weights = side.kind === 'static' && side.weights instanceof Float32Array ? side.weights : [];
    expect(weights).toHaveLength(118);
    expect([...weights.slice(0, 5)]).toEqual([0, 0, 0, 0, 0]);
    expect(Math.min(...weights)).toBeLessThan(0);
    expect(warnings).toEqual([]);
  });

  it.each(['pair-5.0', 'pair-6.2'] as const)('%s: queries by an encoder of their own', async (golden) => {
    const { model } = await open(join(goldens, golden));
    expect(model).toMatchObject({
      pooling: { activation: 'log1p_relu' },
      query: { kind: 'encoder', pooling: { activation: 'relu' }, maxSequenceLength: 24 },
      policy: { prompts: { query: 'what : ', document: '' } },
    });
    expect(model.query.kind === 'encoder' && model.query.checkpoint.folder).toMatch(/query_0_/);
    expect(() => requireSharedEncoder(model, 'this')).toThrow(
      /this needs a model with one encoder.*a separate encoder/,
    );
  });

  it('with idf.json, and the documents in the model folder itself', async () => {
    const { model } = await open(join(goldens, 'idf'));
    expect(model.tokenizerFolder).toBe(join(goldens, 'idf'));
    expect(model.query).toMatchObject({ kind: 'static', frozen: true, paths: [join(goldens, 'idf', 'idf.json')] });
    const weights = model.query.kind === 'static' ? model.query.weights : undefined;
    expect(weights).toBeInstanceOf(Map);
    expect((weights as ReadonlyMap<string, number>).size).toBe(118);
  });

  it('prefers the idf.json beside config.json', async () => {
    const folder = await copyGolden('idf', { [`${staticFolder}/idf.json`]: { the: 2 } });
    const { model } = await open(folder);
    expect(model.query).toMatchObject({ weights: new Map([['the', 2]]) });
  });

  it('whose two routes are the same modules shares the encoder', async () => {
    const { model } = await open(await copyGolden('static-5.0', router(query(...documents))));
    expect(model.query).toEqual({ kind: 'shared' });
    expect(() => requireSharedEncoder(model, 'this')).not.toThrow();
  });

  it('with more routes warns of them', async () => {
    const { warnings } = await open(
      await copyGolden('static-5.0', router({ structure: { query: [staticFolder], image: ['x'] } })),
    );
    expect(warnings).toEqual([expect.stringMatching(/the routes "image" are not used/)]);
  });

  it('takes the length and casing of queries from their side, and from lexray.json before it', async () => {
    const files = {
      'query_0_MLMTransformer/sentence_bert_config.json': { max_seq_length: 8, do_lower_case: true },
      'document_0_MLMTransformer/sentence_bert_config.json': { max_seq_length: 16 },
    };
    const { model } = await open(await copyGolden('pair-5.0', files));
    expect(model.policy).toMatchObject({ casing: 'keep', maxLength: { query: 8, document: 16 } });
    expect(model.query).toMatchObject({ casing: 'lower' });
    const policy = { format: 'lexray-policy', version: 1, casing: 'keep', maxLength: { query: 4 } };
    const { model: changed } = await open(await copyGolden('pair-5.0', { ...files, 'lexray.json': policy }));
    expect(changed.policy.maxLength).toEqual({ query: 4, document: 16 });
    expect(changed.query).toMatchObject({ casing: 'keep' });
    const tooLong = { ...policy, maxLength: { query: 9, document: 16 } };
    await expectRefusal(
      await copyGolden('pair-5.0', { ...files, 'lexray.json': tooLong }),
      /maxLength.query is 9 tokens; the model takes at most 8/,
    );
  });

  it('limits queries by token weights only where the tokenizer has a limit', async () => {
    const files = { [`${staticFolder}/tokenizer_config.json`]: { model_max_length: 1e30 } };
    const { model } = await open(await copyGolden('static-5.0', files));
    expect(model.policy.maxLength).toEqual({ query: 1 << 20, document: 24 });
  });
});

describe('a router is refused with', () => {
  it.each<[string, Golden, Record<string, unknown>, RegExp]>([
    [
      'a module that is not supported',
      'static-5.0',
      router({ types: { [staticFolder]: 'x.Pooling' } }),
      /"x.Pooling" where Lexray supports MLMTransformer or Transformer or SparseStaticEmbedding/,
    ],
    [
      'a document module that is not supported',
      'static-5.0',
      router({ types: { [documents[0]!]: 'evil.Module' } }),
      /"evil.Module" where Lexray supports MLMTransformer or Transformer$/,
    ],
    [
      'documents by token weights',
      'static-5.0',
      router({ structure: { document: [staticFolder] } }),
      /"x.SparseStaticEmbedding" where Lexray supports MLMTransformer/,
    ],
    [
      'a module after token weights',
      'static-5.0',
      router(query(staticFolder, documents[1]!)),
      /"x.SpladePooling" where Lexray supports nothing after SparseStaticEmbedding/,
    ],
    [
      'a query encoder without pooling',
      'static-5.0',
      router(query(documents[0]!)),
      /no second module where Lexray supports SpladePooling/,
    ],
    [
      'no route for queries',
      'static-5.0',
      router({ structure: { query: undefined } }),
      /no route "query", only: "document"/,
    ],
    [
      'a route of the name of a method',
      'static-5.0',
      { 'router_config.json': { types: {}, structure: { toString: [] } } },
      /no route "document", only: "toString"/,
    ],
    [
      'a module without a type',
      'static-5.0',
      router(query('toString')),
      /names the module "toString", of which there is no type/,
    ],
    [
      'route mappings',
      'static-5.0',
      router({ parameters: { route_mappings: { '("query", "text")': 'x' } } }),
      /has route_mappings/,
    ],
    [
      'too many modules',
      'static-5.0',
      router({ types: Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`m${i}`, 'x.Y'])) }),
      /more than 64 modules/,
    ],
    ['a list for a file', 'static-5.0', { 'router_config.json': [] }, /router_config.json does not fit/],
    [
      'a path to a parent folder',
      'static-5.0',
      router({ types: { '../x': 'x.SparseStaticEmbedding' }, ...query('../x') }),
      /"..\/x" is not a plain path/,
    ],
    [
      'an absolute path',
      'static-5.0',
      router({ types: { '/etc': 'x.SparseStaticEmbedding' }, ...query('/etc') }),
      /"\/etc" is not a plain path/,
    ],
    [
      'a path with a backslash',
      'static-5.0',
      router({ types: { 'a\\..': 'x.MLMTransformer' }, ...query('a\\..', documents[1]!) }),
      /not a plain path/,
    ],
    [
      'a module that is not there',
      'static-5.0',
      router({ types: { other: 'x.SparseStaticEmbedding' }, ...query('other') }),
      /there is no folder .*other/,
    ],
    [
      'an idf.json outside',
      'idf',
      { [`${staticFolder}/config.json`]: { path: '../../idf.json' } },
      /"..\/..\/idf.json" is not a plain path/,
    ],
    ['an idf.json that is not there', 'idf', { 'idf.json': undefined }, /neither beside it nor in/],
    ['an idf.json that is a list', 'idf', { 'idf.json': [1] }, /not a JSON object of tokens/],
    ['a weight that is a text', 'idf', { 'idf.json': { the: '1' } }, /the weight of "the" is not a finite number/],
    ['a weight that overflows', 'idf', { 'idf.json': { the: 1e39 } }, /the weight of "the" is not a finite number/],
    [
      'a config of token weights that does not fit',
      'idf',
      { [`${staticFolder}/config.json`]: { frozen: 'yes' } },
      /frozen/,
    ],
  ])('%s', async (_, golden, files, message) => {
    await expectRefusal(await copyGolden(golden, files), message);
  });

  it.each<[string, string, number[], Float32Array, RegExp]>([
    [
      'more weights than dimensions',
      'weight',
      [119],
      new Float32Array(119),
      /shape \[119\]; expected \[n\] with n at most 118/,
    ],
    ['a matrix of weights', 'weight', [59, 2], new Float32Array(118), /shape \[59, 2\]/],
    ['weights of another name', 'idf', [118], new Float32Array(118), /no tensor "weight"/],
  ])('%s', async (_, name, shape, data, message) => {
    const folder = await copyGolden('static-5.0');
    await writeSafetensors(join(folder, staticFolder, 'model.safetensors'), [{ name, shape, data }]);
    await expectRefusal(folder, message);
  });

  it('a weight that is not a number', async () => {
    const folder = await copyGolden('static-5.0');
    const path = join(folder, staticFolder, 'model.safetensors');
    const bytes = await readFile(path);
    const file = await openSafetensors(memorySource(bytes));
    bytes.writeFloatLE(Number.NaN, file.tensors.get('weight')!.byteOffset + 40);
    await writeFile(path, bytes);
    await expectRefusal(folder, /NaN/);
  });

  it('queries and documents of different width', async () => {
    const folder = await copyGolden('pair-5.0');
    const path = join(folder, 'query_0_MLMTransformer');
    await rm(path, { recursive: true });
    await cp(fileURLToPath(new URL('../../../test/fixtures/goldens/families/distilbert', import.meta.url)), path, {
      recursive: true,
    });
    await expectRefusal(folder, /queries have \d+ dimensions and documents 118/);
  });
});

describe('links', () => {
  const outside = (): string => join(temporary, `outside-${count++}`);

  it.each([staticFolder, documents[0]!])('out of the folder are refused: %s', async (name) => {
    const folder = await copyGolden('static-5.0');
    const elsewhere = outside();
    await cp(join(folder, name), elsewhere, { recursive: true });
    await rm(join(folder, name), { recursive: true });
    await symlink(elsewhere, join(folder, name));
    await expectRefusal(folder, /is a link that leads out of the model folder/);
  });

  it('of idf.json out of the folder are refused', async () => {
    const elsewhere = outside();
    await writeFile(elsewhere, '{"the": 1}');
    const folder = await copyGolden('idf', { 'idf.json': undefined });
    await symlink(elsewhere, join(folder, 'idf.json'));
    await expectRefusal(folder, /is a link that leads out of the model folder/);
  });

  it('inside the folder are followed, and a model folder may be one itself', async () => {
    const folder = await copyGolden('static-5.0');
    const plain = join(folder, 'plain');
    await cp(join(folder, staticFolder), plain, { recursive: true });
    await rm(join(folder, staticFolder), { recursive: true });
    await symlink(plain, join(folder, staticFolder));
    const link = outside();
    await symlink(folder, link);
    expect((await open(link)).model.query.kind).toBe('static');
  });

  it("into the blobs of the hub's cache are followed", async () => {
    const cache = outside();
    const snapshot = join(cache, 'snapshots', 'abc');
    await cp(await copyGolden('idf'), snapshot, { recursive: true });
    await mkdir(join(cache, 'blobs'));
    await cp(join(snapshot, 'idf.json'), join(cache, 'blobs', '123'));
    await rm(join(snapshot, 'idf.json'));
    await symlink(join('..', '..', 'blobs', '123'), join(snapshot, 'idf.json'));
    expect((await open(snapshot)).model.query.kind).toBe('static');
  });
});
