import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  defaultCommit,
  FakeHub,
  type FakeModel,
  type Fault,
  gitHash,
  sendContent,
  sha256,
} from '../../../test/fixtures/fake-hub.ts';
import { LexrayError } from '../../util/errors.ts';
import type { ProgressEvent } from '../../util/progress.ts';
import { type PulledModel, type PullOptions, pullModel } from './pull-model.ts';

let temporary: string;
let hub: FakeHub;
let count = 0;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray hub '));
  hub = await new FakeHub().start();
});
afterAll(async () => {
  await hub.stop();
  await rm(temporary, { recursive: true });
});

/** 320 kB that look like nothing. */
const weights = Buffer.concat(
  Array.from({ length: 10_000 }, (_, i) => createHash('sha256').update(String(i)).digest()),
);
const files: FakeModel['files'] = {
  'config.json': '{"model_type":"bert"}',
  'tokenizer.json': '{}',
  'tokenizer_config.json': '{"a":1}',
  'README.md': '---\nlicense: mit\n---\n',
  LICENSE: 'do what you like',
  'model.safetensors': weights,
  '.gitattributes': '*.bin filter=lfs',
  'onnx/model.onnx': 'large',
  'tf_model.h5': 'large',
  'pytorch_model.bin': 'large',
  'training_args.bin': 'x',
};
const wanted = ['LICENSE', 'README.md', 'config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
const reference = { repo: 'org/model', revision: 'main' };
let cacheFolder: string;

beforeEach(() => {
  hub.reset();
  hub.models.clear();
  hub.models.set('org/model', { files });
  cacheFolder = join(temporary, `cache-${count++}`);
});

function pull(
  options: Omit<PullOptions, 'environment'> & {
    repo?: string;
    revision?: string;
    token?: string;
    offline?: boolean;
    endpoint?: string;
    cacheFolder?: string;
  } = {},
): Promise<PulledModel> {
  const {
    repo = reference.repo,
    revision = 'main',
    token,
    offline = false,
    endpoint = hub.address(),
    ...rest
  } = options;
  const environment = { endpoint, token, offline, cacheFolder: options.cacheFolder ?? cacheFolder };
  return pullModel({ repo, revision }, { environment, patience: { attempts: 3, pause: 0.01, silence: 50 }, ...rest });
}

async function refusal(work: Promise<unknown>): Promise<LexrayError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LexrayError);
  return error as LexrayError;
}

/** Of the weights in a model folder. */
const hashOf = async (folder: string): Promise<string> => sha256(await readFile(join(folder, 'model.safetensors')));
const repoFolder = (): string => join(cacheFolder, 'models--org--model');
const blobs = (): Promise<string[]> => readdir(join(repoFolder(), 'blobs'));
const weightsBlob = (): string => join(repoFolder(), 'blobs', sha256(weights));
const weightRequests = (): typeof hub.requests => hub.requests.filter(({ server }) => server === 'store');

/** Answers the first `times` requests for the weights' content by `fault`. */
function onWeights(times: number, fault: (...args: Parameters<Fault>) => void): void {
  let left = times;
  hub.fault = (request, response, content) => {
    if (request.server !== 'store' || left === 0) return false;
    left--;
    fault(request, response, content);
    return true;
  };
}

/** Sends a beginning of the content and ends the connection. */
const breakAfter =
  (bytes: number) =>
  (...[{ range }, response, content]: Parameters<Fault>): void => {
    const start = Number(range?.match(/\d+/)?.[0] ?? 0);
    response.writeHead(range === undefined ? 200 : 206, {
      'content-length': content!.length - start,
      ...(range !== undefined && { 'content-range': `bytes ${start}-${content!.length - 1}/${content!.length}` }),
    });
    response.write(content!.subarray(start, start + bytes));
    response.socket!.end();
  };

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

describe('the token', () => {
  it('goes to the hub and not to where files are stored', async () => {
    hub.models.set('org/model', { files, token: 'hf_secret' });
    await pull({ token: 'hf_secret' });
    const sent = (server: string): Set<string | undefined> =>
      new Set(hub.requests.filter((request) => request.server === server).map(({ authorization }) => authorization));
    expect(sent('hub')).toEqual(new Set(['Bearer hf_secret']));
    expect(sent('store')).toEqual(new Set([undefined]));
  });

  it('does not go to a host that the hub redirects to', async () => {
    hub.fault = ({ server }, response) => {
      if (server !== 'hub') return false;
      response.writeHead(302, { location: `${hub.address('store')}/elsewhere` }).end();
      return true;
    };
    await refusal(pull({ token: 'hf_secret' }));
    expect(hub.requests.map(({ server, authorization }) => [server, authorization])).toEqual([
      ['hub', 'Bearer hf_secret'],
      ['store', undefined],
    ]);
  });

  it.each<[string, Partial<FakeModel>, string | undefined, 'NETWORK' | 'BAD_INPUT', RegExp, RegExp]>([
    [
      'a gated model without token',
      { token: 'a', gated: true },
      undefined,
      'NETWORK',
      /is gated/,
      /accept the terms at .*, then set HF_TOKEN/,
    ],
    [
      'a gated model with a token',
      { token: 'a', gated: true },
      'hf_b',
      'NETWORK',
      /is gated/,
      /the account that your token belongs to/,
    ],
    [
      'a private model without token',
      { token: 'a' },
      undefined,
      'BAD_INPUT',
      /there is no model org\/model on .*, or it is private/,
      /set HF_TOKEN/,
    ],
    [
      'a token that is not valid',
      { token: 'a' },
      'hf_b',
      'NETWORK',
      /refuses your token/,
      /set HF_TOKEN to a valid token/,
    ],
  ])('%s', async (_title, model, token, code, message, cure) => {
    hub.models.set('org/model', { files, ...model });
    const error = await refusal(pull({ ...(token !== undefined && { token }) }));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), cure: expect.stringMatching(cure) });
    expect(JSON.stringify([error.message, error.cure, error.where, error.stack])).not.toContain('hf_b');
    expect(hub.requests).toHaveLength(1);
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

describe('a server in trouble', () => {
  it.each([429, 500, 502, 503, 408])('%i is tried again', async (status) => {
    let left = 2;
    hub.fault = (_request, response) => {
      if (left-- <= 0) return false;
      response.writeHead(status, { 'retry-after': '0' }).end();
      return true;
    };
    await pull();
  });

  it('is given up after some attempts', async () => {
    hub.fault = (_request, response) => {
      response.writeHead(503).end('busy');
      return true;
    };
    const error = await refusal(pull());
    expect(error).toMatchObject({
      code: 'NETWORK',
      message: expect.stringMatching(/could not look up org\/model: .* answered 503/),
    });
    expect(hub.requests).toHaveLength(3);
  });

  it('that asks to wait for an hour is given up at once', async () => {
    hub.fault = (_request, response) => {
      response.writeHead(429, { 'retry-after': '3600' }).end();
      return true;
    };
    await refusal(pull());
    expect(hub.requests).toHaveLength(1);
  });

  it('waits as long as the server asks', async () => {
    let first: number | undefined;
    let waited = 0;
    hub.fault = (_request, response) => {
      if (first !== undefined) {
        waited ||= performance.now() - first;
        return false;
      }
      first = performance.now();
      response.writeHead(429, { 'retry-after': '1' }).end();
      return true;
    };
    await pull();
    expect(waited).toBeGreaterThan(950);
  });

  it('that says nothing is asked again', async () => {
    let left = 1;
    hub.fault = () => left-- > 0;
    await pull({ patience: { attempts: 20, pause: 0.01, silence: 1 } });
  });

  it('that stops in the middle is asked for the rest', async () => {
    onWeights(1, (_request, response, content) => {
      response.writeHead(200, { 'content-length': content!.length });
      response.write(content!.subarray(0, 100_000));
    });
    await pull({ patience: { attempts: 20, pause: 0.01, silence: 1 } });
    expect(weightRequests().at(-1)!.range).toBe('bytes=100000-');
  });

  it('whose connections break is asked for the rest, as often as each brings something', async () => {
    onWeights(100, breakAfter(100_000));
    const { folder } = await pull();
    expect(await hashOf(folder)).toBe(sha256(weights));
    const starts = weightRequests().map(({ range }) => Number(range?.match(/^bytes=(\d+)-$/)?.[1] ?? 0));
    expect(starts.length).toBeGreaterThanOrEqual(4);
    expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
  });

  it('whose connections bring next to nothing is given up', async () => {
    onWeights(100, breakAfter(10));
    const error = await refusal(pull());
    expect(error).toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('could not fetch model.safetensors of org/model'),
    });
    expect(weightRequests()).toHaveLength(3);
    expect(await readdir(repoFolder())).toEqual(['blobs']);
  });

  it('that ignores ranges sends the whole file again', async () => {
    hub.fault = (request, response, content) => {
      if (request.server !== 'store') return false;
      if (weightRequests().length === 1) breakAfter(100_000)(request, response, content);
      else sendContent({ ...request, range: undefined }, response, content!);
      return true;
    };
    const { folder } = await pull();
    expect(await hashOf(folder)).toBe(sha256(weights));
  });

  it('that sends another range than was asked for is not believed', async () => {
    hub.fault = (request, response, content) => {
      if (request.server !== 'store' || weightRequests().length !== 2) {
        if (request.server !== 'store' || weightRequests().length > 2) return false;
        breakAfter(100_000)(request, response, content);
        return true;
      }
      response.writeHead(206, { 'content-range': `bytes 0-${content!.length - 1}/${content!.length}` }).end(content);
      return true;
    };
    const { folder } = await pull();
    expect(await hashOf(folder)).toBe(sha256(weights));
  });

  it('that is no hub is named', async () => {
    hub.fault = (_request, response) => {
      response.end('<html>Please log in to the Wi-Fi</html>');
      return true;
    };
    expect(await refusal(pull())).toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('does not answer as a hub does'),
    });
  });

  it.each([
    ['to itself', (url: string) => url, /redirects more than 8 times/],
    ['to a file', () => 'file:///etc/passwd', /redirects to an address that is not followed/],
    ['to nowhere', () => 'http://[', /redirects to an address that is not followed/],
  ])('that redirects %s is not followed', async (_title, target, message) => {
    hub.fault = ({ url }, response) => {
      response.writeHead(302, { location: target(url) }).end();
      return true;
    };
    expect(await refusal(pull())).toMatchObject({ code: 'NETWORK', message: expect.stringMatching(message) });
  });
});

describe('contents', () => {
  const wrong = Buffer.from(weights);
  wrong[77] = wrong[77]! ^ 1;

  it('that are wrong once are fetched again', async () => {
    onWeights(1, (request, response) => sendContent(request, response, wrong));
    const { folder } = await pull();
    expect(await hashOf(folder)).toBe(sha256(weights));
    expect(weightRequests()).toHaveLength(2);
  });

  it('that stay wrong are refused, and no model appears', async () => {
    onWeights(100, (request, response) => sendContent(request, response, wrong));
    const error = await refusal(pull());
    expect(error.code).toBe('NETWORK');
    expect(error.message).toContain(`has the hash ${sha256(wrong)}; ${sha256(weights)} was promised`);
    expect(await readdir(repoFolder())).toEqual(['blobs']);
    expect((await blobs()).filter((name) => name.startsWith(sha256(weights)))).toEqual([]);
  });

  it('of small files are checked by their git hash', async () => {
    hub.fault = (request, response) => {
      if (!request.url.endsWith('/tokenizer.json') || request.method !== 'GET') return false;
      sendContent(request, response, Buffer.from('[]'));
      return true;
    };
    expect((await refusal(pull())).message).toContain(`${gitHash(Buffer.from('{}'))} was promised`);
  });

  it('longer than announced are not written on', async () => {
    onWeights(100, (_request, response) => {
      response.writeHead(200);
      const flood = setInterval(() => response.write(Buffer.alloc(1 << 18)), 1);
      response.on('close', () => clearInterval(flood));
    });
    expect((await refusal(pull())).message).toContain('is longer than the 320000 bytes that were announced');
  });

  it('without a hash are checked by their size, with a warning', async () => {
    hub.fault = (request, response, content) => {
      if (!request.url.includes('/resolve/') || request.server !== 'hub') return false;
      sendContent(request, response, content!, { etag: `W/"mirror-${content!.length}-${request.url.length}"` });
      return true;
    };
    const warnings: string[] = [];
    await pull({ onWarning: (text) => warnings.push(text) });
    expect(warnings).toHaveLength(wanted.length);
    expect(warnings[0]).toMatch(/gives no hash of .*, so only its size was checked/);
  });

  it('that no disk holds are refused before anything is fetched', async () => {
    hub.fault = ({ url, method }, response) => {
      if (method !== 'HEAD' || !url.endsWith('.safetensors')) return false;
      response.writeHead(302, { location: '/x', 'x-linked-etag': 'a'.repeat(64), 'x-linked-size': String(1e15) }).end();
      return true;
    };
    expect(await refusal(pull())).toMatchObject({
      code: 'FAILED',
      message: expect.stringContaining('needs 1000000000'),
    });
    expect(hub.log.filter((line) => line.startsWith('GET') && line.includes('resolve'))).toEqual([]);
  });
});

describe('an interruption', () => {
  /** A pull that is interrupted in the middle of the weights; returns how much of them is kept. */
  async function interrupted(): Promise<number> {
    const controller = new AbortController();
    onWeights(1, (_request, response, content) => {
      response.writeHead(200, { 'content-length': content!.length });
      response.write(content!.subarray(0, 200_000));
    });
    const error = await refusal(
      pull({
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done > 100_000) controller.abort();
        },
      }),
    );
    expect(error.code).toBe('INTERRUPTED');
    hub.reset();
    const { size } = await stat(`${weightsBlob()}.lexray.incomplete`);
    expect(size).toBeGreaterThan(90_000);
    expect(size).toBeLessThanOrEqual(200_000);
    return size;
  }

  it('keeps what was fetched, and the next pull goes on from there', async () => {
    const size = await interrupted();
    expect(await readdir(repoFolder())).toEqual(['blobs']);
    const { folder, bytesFetched } = await pull();
    expect(weightRequests().map(({ range }) => range)).toEqual([`bytes=${size}-`]);
    expect(bytesFetched).toBe(weights.length - size);
    expect(await hashOf(folder)).toBe(sha256(weights));
    expect(await blobs()).toHaveLength(wanted.length);
  });

  it('before it began is noticed', async () => {
    expect(await refusal(pull({ signal: AbortSignal.abort() }))).toMatchObject({ code: 'INTERRUPTED' });
    expect(hub.log).toEqual([]);
  });

  it('of several pulls leaves one beginning, which one pull gets', async () => {
    const size = await interrupted();
    const models = await Promise.all([pull(), pull(), pull()]);
    expect(weightRequests().filter(({ range }) => range === `bytes=${size}-`).length).toBeLessThanOrEqual(1);
    for (const { folder } of models) expect(await hashOf(folder)).toBe(sha256(weights));
    expect(await blobs()).toHaveLength(wanted.length);
  });

  it('during a pause between attempts ends it', async () => {
    const controller = new AbortController();
    hub.fault = (_request, response) => {
      response.writeHead(503, { 'retry-after': '60' }).end();
      setTimeout(() => controller.abort(), 50);
      return true;
    };
    expect((await refusal(pull({ signal: controller.signal }))).code).toBe('INTERRUPTED');
  });

  it('a beginning that is damaged or too long is not kept', async () => {
    for (const beginning of [Buffer.alloc(1000), Buffer.alloc(weights.length + 1)]) {
      await mkdir(join(repoFolder(), 'blobs'), { recursive: true });
      await writeFile(`${weightsBlob()}.lexray.incomplete`, beginning);
      const { folder } = await pull();
      expect(await hashOf(folder)).toBe(sha256(weights));
      await rm(cacheFolder, { recursive: true });
    }
  });

  it('by the death of a program leaves a beginning that is used when it is old', async () => {
    await mkdir(join(repoFolder(), 'blobs'), { recursive: true });
    const old = `${weightsBlob()}.lexray-00000000.incomplete`;
    const young = `${weightsBlob()}.lexray-ffffffff.incomplete`;
    await writeFile(old, weights.subarray(0, 1000));
    await writeFile(young, weights.subarray(0, 2000));
    await utimes(old, new Date(0), new Date(0));
    await pull();
    expect(weightRequests().map(({ range }) => range)).toEqual(['bytes=1000-']);
    // Somebody may still write into it.
    expect((await blobs()).filter((name) => name.endsWith('.incomplete'))).toEqual([young.split('/').at(-1)]);
  });
});

describe('a hostile server', () => {
  it.each([
    ['leaves the folder', '../../../etc/cron.d/x'],
    ['is absolute', '/etc/passwd'],
    ['leaves it on Windows', 'a\\..\\..\\x'],
    ['has a control character', 'a\nb'],
    ['has an empty part', 'a//b'],
  ])('whose path %s is refused', async (_title, path) => {
    hub.models.set('org/model', { files: { ...files, [path]: 'x' } });
    expect(await refusal(pull())).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('a path that is not plain'),
    });
    await expect(readdir(cacheFolder)).rejects.toThrow('ENOENT');
  });

  it.each(['../x', 'a/../../x', '/x', 'C:x', 'a\\b', '.git'])('whose module is in %j is refused', async (path) => {
    hub.models.set('org/model', { files: { ...files, 'modules.json': JSON.stringify([{ path, type: 'x' }]) } });
    expect(await refusal(pull())).toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('a path that is not plain'),
    });
  });

  it.each(['../../x.safetensors', '/x.safetensors', 'a/b.safetensors', '.x.safetensors', 7])(
    'whose shard is %j is refused',
    async (shard) => {
      const index = JSON.stringify({ weight_map: { a: shard } });
      const { 'model.safetensors': _, ...rest } = files;
      hub.models.set('org/model', { files: { ...rest, 'model.safetensors.index.json': index } });
      expect(await refusal(pull())).toMatchObject({ code: 'BAD_INPUT' });
    },
  );

  it.each(['../../../x', '', '.x', 'a b', 'a/b', 'a'.repeat(300)])('whose etag is %j is refused', async (etag) => {
    hub.fault = (request, response, content) => {
      if (request.method !== 'HEAD') return false;
      sendContent(request, response, content!, { etag: `"${etag}"` });
      return true;
    };
    expect(await refusal(pull())).toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('does not say the hash'),
    });
  });

  it.each<[string, unknown]>([
    ['commit', { sha: '../../x', siblings: [] }],
    ['list', { sha: defaultCommit, siblings: 'x' }],
    ['file', { sha: defaultCommit, siblings: [{ rfilename: 7 }] }],
    ['answer', null],
  ])('whose %s is none is refused', async (_title, answer) => {
    hub.fault = (_request, response) => {
      response.end(JSON.stringify(answer));
      return true;
    };
    expect(await refusal(pull())).toMatchObject({
      code: 'NETWORK',
      message: expect.stringContaining('does not answer as a hub does'),
    });
  });

  it('that answers for another commit is refused', async () => {
    hub.fault = (request, response, content) => {
      if (request.method !== 'HEAD') return false;
      sendContent(request, response, content!, { etag: gitHash(content!), 'x-repo-commit': 'e'.repeat(40) });
      return true;
    };
    expect((await refusal(pull())).message).toContain('of another commit');
  });

  it('whose list does not end is refused', async () => {
    hub.fault = (_request, response) => {
      const flood = setInterval(() => response.write(' '.repeat(1 << 20)), 1);
      response.on('close', () => clearInterval(flood));
      return true;
    };
    expect((await refusal(pull())).message).toContain('answers with more than');
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
        'document_0_MLMTransformer/model.safetensors': 'y',
        'document_0_MLMTransformer/tokenizer.json': '{}',
      },
    });
    expect((await pull()).files).toHaveLength(7);
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
