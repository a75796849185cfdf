import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { readHubEnvironment } from './hub-environment.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-'));
  await writeFile(join(folder, 'token'), 'hf_fromFile\n');
  await writeFile(join(folder, 'other'), 'hf_other');
});
afterAll(() => rm(folder, { recursive: true }));

describe('the environment', () => {
  const none = { HF_HOME: '/nowhere' };

  it.each([
    [{}, join(homedir(), '.cache', 'huggingface', 'hub')],
    [{ XDG_CACHE_HOME: '/x' }, join('/x', 'huggingface', 'hub')],
    [{ HF_HOME: '/h', XDG_CACHE_HOME: '/x' }, join('/h', 'hub')],
    [{ HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/h' }, '/old'],
    [{ HF_HUB_CACHE: '/new', HUGGINGFACE_HUB_CACHE: '/old', HF_HOME: '/h' }, '/new'],
    [{ HF_HOME: '~/models' }, join(homedir(), 'models', 'hub')],
    [{ HF_HUB_CACHE: '', HF_HOME: '/h' }, join('/h', 'hub')],
  ])('%j gives the cache %s', (env, cacheFolder) => {
    expect(readHubEnvironment({ HF_TOKEN: 'hf_x', ...env }).cacheFolder).toBe(cacheFolder);
  });

  it('gives the token of HF_TOKEN, or of a file', () => {
    expect(readHubEnvironment(none).token).toBeUndefined();
    expect(readHubEnvironment({ ...none, HF_TOKEN: ' hf_a\n' }).token).toBe('hf_a');
    expect(readHubEnvironment({ ...none, HUGGING_FACE_HUB_TOKEN: 'hf_b' }).token).toBe('hf_b');
    expect(readHubEnvironment({ HF_HOME: folder }).token).toBe('hf_fromFile');
    expect(readHubEnvironment({ HF_HOME: folder, HF_TOKEN: 'hf_a' }).token).toBe('hf_a');
    expect(readHubEnvironment({ HF_HOME: folder, HF_TOKEN_PATH: join(folder, 'other') }).token).toBe('hf_other');
    expect(readHubEnvironment({ HF_HOME: folder, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }).token).toBeUndefined();
  });

  it('does not show a token that is none', () => {
    const token = 'hf_secret\u2026 x';
    const error = (() => {
      try {
        return readHubEnvironment({ ...none, HF_TOKEN: token });
      } catch (reason) {
        return reason;
      }
    })();
    expect(error).toBeInstanceOf(LexrayError);
    expect(error).toMatchObject({ code: 'CONFIG', where: 'HF_TOKEN' });
    expect(`${(error as Error).stack}`).not.toContain('secret');
  });

  it.each([
    [{ HF_HUB_OFFLINE: '1' }, true],
    [{ HF_HUB_OFFLINE: 'TRUE' }, true],
    [{ TRANSFORMERS_OFFLINE: 'yes' }, true],
    [{ HF_HUB_OFFLINE: '0', TRANSFORMERS_OFFLINE: '1' }, false],
    [{ HF_HUB_OFFLINE: '' }, false],
    [{}, false],
  ])('%j is offline: %s', (env, offline) => {
    expect(readHubEnvironment({ ...none, ...env }).offline).toBe(offline);
  });

  it('gives the endpoint, without a slash at its end', () => {
    expect(readHubEnvironment(none).endpoint).toBe('https://huggingface.co');
    expect(readHubEnvironment({ ...none, HF_ENDPOINT: 'http://mirror:8080/hf/' }).endpoint).toBe(
      'http://mirror:8080/hf',
    );
    for (const endpoint of ['mirror', 'file:///etc', 'https://user:word@host', 'https://host/?x=1']) {
      expect(() => readHubEnvironment({ ...none, HF_ENDPOINT: endpoint })).toThrow('HF_ENDPOINT is no web address');
    }
  });
});
