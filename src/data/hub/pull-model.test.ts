import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultCommit, FakeHub, type FakeModel, gitHash, sha256 } from '../../../test/fixtures/fake-hub.ts';
import {
  blobs,
  files,
  hashOf,
  hub,
  pull,
  reference,
  refusal,
  repoFolder,
  wanted,
  weightRequests,
  weights,
} from '../../../test/fixtures/hub-pull.ts';
import type { ProgressEvent } from '../../util/progress.ts';

describe('a pull', () => {
  it("fills Hugging Face's cache layout with what the model needs, and with nothing else", async () => {
    const model = await pull();
    const bytesFetched = wanted.reduce((sum, name) => sum + Buffer.from(files[name]!).length, 0);
    const folder = join(repoFolder(), 'snapshots', defaultCommit);
    expect(model).toEqual({ ...reference, folder, commit: defaultCommit, files: wanted, bytesFetched });
    expect(await readFile(join(repoFolder(), 'refs', 'main'), 'utf8')).toBe(defaultCommit);
    expect((await readdir(folder)).sort()).toEqual([...wanted].sort());
    const etags = wanted.map((name) => {
      const content = Buffer.from(files[name]!);
      return name.endsWith('.safetensors') ? sha256(content) : gitHash(content);
    });
    expect((await blobs()).sort()).toEqual([...etags].sort());
    for (const [i, name] of wanted.entries()) {
      expect((await readFile(join(folder, name))).equals(Buffer.from(files[name]!))).toBe(true);
      if (process.platform !== 'win32') expect(await readlink(join(folder, name))).toBe(`../../blobs/${etags[i]}`);
    }
    expect(hub.log.filter((line) => /onnx|h5|bin/.test(line))).toEqual([]);
  });

  it('done again asks for the revision only', async () => {
    await pull();
    hub.reset();
    expect(await pull()).toMatchObject({ bytesFetched: 0, files: wanted });
    expect(hub.log).toEqual(['GET /api/models/org/model/revision/main?blobs=true']);
  });

  it('of a commit that is in the cache asks for nothing', async () => {
    const first = await pull({ revision: defaultCommit });
    expect(await readdir(repoFolder())).not.toContain('refs');
    hub.reset();
    expect(await pull({ revision: defaultCommit })).toEqual({ ...first, bytesFetched: 0 });
    expect(hub.log).toEqual([]);
  });

  it('of a tag or a pull request keeps its own ref', async () => {
    hub.models.set('org/model', { files, refs: ['v1.0', 'refs/pr/3'] });
    await pull({ revision: 'v1.0' });
    await pull({ revision: 'refs/pr/3' });
    expect(hub.log).toContain('GET /api/models/org/model/revision/refs%2Fpr%2F3?blobs=true');
    expect(await readFile(join(repoFolder(), 'refs', 'v1.0'), 'utf8')).toBe(defaultCommit);
    expect(await readFile(join(repoFolder(), 'refs', 'refs', 'pr', '3'), 'utf8')).toBe(defaultCommit);
  });

  it('of a new commit fetches what changed', async () => {
    await pull();
    hub.reset();
    const commit = 'd'.repeat(40);
    hub.models.set('org/model', { files: { ...files, 'config.json': '{"model_type":"roberta"}' }, commit });
    const model = await pull();
    expect(model).toMatchObject({ commit, bytesFetched: 24 });
    expect(hub.log.filter((line) => line.startsWith('GET') && line.includes('resolve'))).toEqual([
      `GET /org/model/resolve/${commit}/config.json`,
    ]);
    expect(await readFile(join(repoFolder(), 'refs', 'main'), 'utf8')).toBe(commit);
    expect(await hashOf(model.folder)).toBe(sha256(weights));
  });

  it('tells how far it has come', async () => {
    const events: ProgressEvent[] = [];
    const { bytesFetched } = await pull({ onProgress: (event) => events.push(event) });
    expect(events.length).toBeGreaterThan(6);
    expect(
      events.every(({ total, unit, phase }) => total === bytesFetched && unit === 'bytes' && /org\/model/.test(phase)),
    ).toBe(true);
    const done = events.map((event) => event.done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(bytesFetched);
  });

  it('several at a time of one model give one whole model', async () => {
    const models = await Promise.all(Array.from({ length: 4 }, () => pull()));
    for (const { folder } of models) expect(await hashOf(folder)).toBe(sha256(weights));
    expect(await blobs()).toHaveLength(wanted.length);
    expect((await readdir(models[0]!.folder)).sort()).toEqual([...wanted].sort());
  });

  it('fetches what two files share once', async () => {
    hub.models.set('org/model', { files: { ...files, 'special_tokens_map.json': '{}' } });
    const { folder, bytesFetched } = await pull();
    expect(bytesFetched).toBe(wanted.reduce((sum, name) => sum + Buffer.from(files[name]!).length, 0));
    for (const name of ['tokenizer.json', 'special_tokens_map.json']) {
      expect(await readFile(join(folder, name), 'utf8')).toBe('{}');
    }
  });

  it('follows a model that was renamed', async () => {
    hub.models.set('new/name', { files });
    hub.fault = ({ url }, response) => {
      if (!url.includes('org/model')) return false;
      response.writeHead(307, { location: url.replace('org/model', 'new/name') }).end();
      return true;
    };
    const { folder } = await pull();
    expect(folder).toBe(join(repoFolder(), 'snapshots', defaultCommit));
    expect(await hashOf(folder)).toBe(sha256(weights));
  });
});

describe('what is not there', () => {
  it.each<[string, { repo?: string; revision?: string; token?: string }, RegExp]>([
    ['a model', { repo: 'org/other' }, /there is no model org\/other/],
    ['a model, with a token', { repo: 'org/other', token: 'hf_x' }, /there is no model org\/other/],
    ['a revision', { revision: 'v9' }, /org\/model has no revision "v9"/],
  ])('%s', async (_title, options, message) => {
    const error = await refusal(pull(options));
    expect(error).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
      cure: expect.any(String),
    });
  });

  it.each<[string, FakeModel['files'], RegExp]>([
    ['config.json', { ...files, 'config.json': undefined as never }, /has no config.json/],
    [
      'weights',
      { 'config.json': '{}', 'tokenizer.json': '{}', 'tf_model.h5': 'x' },
      /has no weights \(model.safetensors or/,
    ],
    ['a tokenizer', { 'config.json': '{}', 'model.safetensors': 'x' }, /has no tokenizer/],
    [
      'a shard',
      {
        'config.json': '{}',
        'vocab.txt': '',
        'model.safetensors.index.json': '{"weight_map":{"a":"model-1.safetensors"}}',
      },
      /has no model-1.safetensors, which its index names/,
    ],
  ])('%s', async (_title, content, message) => {
    const present = Object.fromEntries(Object.entries(content).filter(([, value]) => value !== undefined));
    hub.models.set('org/model', { files: present });
    expect(await refusal(pull())).toMatchObject({ code: 'BAD_INPUT', message: expect.stringMatching(message) });
    expect(weightRequests()).toEqual([]);
  });
});

describe('without a network', () => {
  it('offline, a model in the cache is used', async () => {
    const first = await pull();
    hub.reset();
    expect(await pull({ offline: true })).toEqual({ ...first, bytesFetched: 0 });
    expect(hub.log).toEqual([]);
  });

  it('offline, a model that is not in the cache is named, with the cure', async () => {
    const error = await refusal(pull({ offline: true }));
    expect(error).toMatchObject({
      code: 'NETWORK',
      message: 'revision main of org/model is not in the cache, and HF_HUB_OFFLINE forbids to fetch it',
      cure: expect.stringContaining('lexray pull org/model'),
    });
    await pull();
    await rm(join(repoFolder(), 'snapshots', defaultCommit, 'model.safetensors'));
    const partly = await refusal(pull({ offline: true }));
    expect(partly.message).toMatch(/^weights \(model.safetensors .*\) of org\/model \(main\) is not in the cache/);
  });

  it('a model in the cache is used, with a warning; another is an error', async () => {
    const first = await pull();
    const other = await new FakeHub().start();
    const endpoint = other.address();
    await other.stop();
    const warnings: string[] = [];
    expect(await pull({ endpoint, onWarning: (text) => warnings.push(text) })).toEqual({ ...first, bytesFetched: 0 });
    expect(warnings).toEqual([
      expect.stringMatching(/could not look up org\/model: .*ECONNREFUSED.* is used as it is in the cache/),
    ]);
    const error = await refusal(pull({ endpoint, repo: 'org/other' }));
    expect(error).toMatchObject({ code: 'NETWORK', cure: expect.stringContaining('check the network') });
  });

  it('a commit with a file missing is fetched', async () => {
    const { folder } = await pull({ revision: defaultCommit });
    await rm(join(folder, 'config.json'));
    await pull({ revision: defaultCommit });
    expect(await readFile(join(folder, 'config.json'), 'utf8')).toBe(files['config.json']);
  });
});

describe('kinds of models', () => {
  it('sentence-transformers: the modules too', async () => {
    const modules = [
      { path: '', type: 'sentence_transformers.sparse_encoder.models.MLMTransformer' },
      { path: '1_SpladePooling', type: 'sentence_transformers.sparse_encoder.models.SpladePooling' },
      { path: '2_Normalize', type: 'sentence_transformers.models.Normalize' },
    ];
    const own = {
      'modules.json': JSON.stringify(modules),
      'sentence_bert_config.json': '{}',
      'config_sentence_transformers.json': '{}',
      '1_SpladePooling/config.json': '{"a":1}',
    };
    hub.models.set('org/model', { files: { ...files, ...own, '3_Other/config.json': '{}' } });
    const model = await pull();
    expect(model.files).toEqual([...wanted, ...Object.keys(own)].sort());
    expect(await readFile(join(model.folder, '1_SpladePooling', 'config.json'), 'utf8')).toBe('{"a":1}');
    await rm(join(model.folder, '1_SpladePooling'), { recursive: true });
    expect((await refusal(pull({ offline: true }))).message).toContain('1_SpladePooling/config.json of org/model');
  });

  it('sentence-transformers: a transformer in a folder of its own', async () => {
    const { 'model.safetensors': _, ...rest } = files;
    const modules = JSON.stringify([{ path: '0_Transformer', type: 'x' }]);
    const inner = {
      '0_Transformer/config.json': '{}',
      '0_Transformer/model.safetensors': weights,
      '0_Transformer/vocab.txt': 'a',
    };
    hub.models.set('org/model', { files: { ...rest, 'modules.json': modules, ...inner } });
    const { files: got } = await pull();
    expect(got).toEqual(expect.arrayContaining(Object.keys(inner)));
    expect(got).not.toContain('pytorch_model.bin');
  });

  it('sentence-transformers: a Router with the folders of its ways', async () => {
    const modules = JSON.stringify([{ path: '', type: 'sentence_transformers.models.Router' }]);
    const router = JSON.stringify({ types: { query_0_SparseStaticEmbedding: 'x', document_0_MLMTransformer: 'y' } });
    hub.models.set('org/model', {
      files: {
        'modules.json': modules,
        'router_config.json': router,
        'config.json': '{}',
        'query_0_SparseStaticEmbedding/config.json': '{}',
        'query_0_SparseStaticEmbedding/model.safetensors': 'x',
        'query_0_SparseStaticEmbedding/idf.json': '{}',
        'idf.json': '{}',
        'document_0_MLMTransformer/model.safetensors': 'y',
        'document_0_MLMTransformer/tokenizer.json': '{}',
      },
    });
    expect((await pull()).files).toHaveLength(9);
  });

  it.each([
    ['model.safetensors.index.json', 'model-1.safetensors', 'model-2.safetensors'],
    ['pytorch_model.bin.index.json', 'pytorch_model-1.bin', 'pytorch_model-2.bin'],
  ])('shards: those of %s', async (index, one, two) => {
    const map = JSON.stringify({ weight_map: { a: one, b: two, c: one } });
    const shards = { [index]: map, [one]: 'x', [two]: 'y' };
    const { 'model.safetensors': _, 'pytorch_model.bin': __, ...rest } = files;
    hub.models.set('org/model', {
      files: { ...rest, ...shards, 'model-3.safetensors': 'z', 'pytorch_model-3.bin': 'z' },
    });
    const model = await pull();
    expect(model.files).toEqual(
      [...wanted.filter((name) => name !== 'model.safetensors'), ...Object.keys(shards)].sort(),
    );
    await rm(join(model.folder, two));
    expect((await refusal(pull({ offline: true }))).message).toContain(`${two}, which its index names`);
  });

  it('weights of PyTorch, where there are no others', async () => {
    const { 'model.safetensors': _, ...rest } = files;
    hub.models.set('org/model', { files: rest });
    expect((await pull()).files).toContain('pytorch_model.bin');
  });
});
