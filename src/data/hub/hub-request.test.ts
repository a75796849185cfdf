import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type FakeModel, sendContent, sha256 } from '../../../test/fixtures/fake-hub.ts';
import {
  breakAfter,
  files,
  hashOf,
  hub,
  onWeights,
  pull,
  refusal,
  repoFolder,
  weightRequests,
  weights,
} from '../../../test/fixtures/hub-pull.ts';

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
    expect(weightRequests()).toEqual([]);
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
