import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gitHash, sendContent, sha256 } from '../../../test/fixtures/fake-hub.ts';
import {
  blobs,
  cacheFolder,
  hashOf,
  hub,
  onWeights,
  pull,
  refusal,
  repoFolder,
  wanted,
  weightRequests,
  weights,
  weightsBlob,
} from '../../../test/fixtures/hub-pull.ts';

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

describe('a failure of one of several transfers', () => {
  it('ends the others, every time', async () => {
    for (let i = 0; i < 40; i++) {
      hub.fault = (request, response) => {
        if (request.method !== 'GET') return false;
        if (request.url.endsWith('/tokenizer.json')) sendContent(request, response, Buffer.from('[]'));
        else return false;
        return true;
      };
      expect((await refusal(pull())).message).toContain('was promised');
      await rm(cacheFolder(), { recursive: true });
    }
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
      await rm(cacheFolder(), { recursive: true });
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
