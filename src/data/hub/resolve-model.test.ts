import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultCommit, FakeHub } from '../../../test/fixtures/fake-hub.ts';
import type { HubEnvironment } from './hub-environment.ts';
import { resolveModel } from './resolve-model.ts';

let temporary: string;
let hub: FakeHub;
let environment: HubEnvironment;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'lexray-'));
  hub = await new FakeHub().start();
  const files = { 'config.json': '{}', 'vocab.txt': 'a', 'model.safetensors': 'x' };
  hub.models.set('org/model', { files, refs: ['v1'] });
  environment = { endpoint: hub.address(), token: undefined, offline: false, cacheFolder: join(temporary, 'cache') };
});
afterAll(async () => {
  await hub.stop();
  await rm(temporary, { recursive: true });
});

const snapshot = (): string => join(temporary, 'cache', 'models--org--model', 'snapshots', defaultCommit);

describe('the folder of a model', () => {
  it('is a path that exists, even where it looks like a reference', async () => {
    await mkdir(join(temporary, 'org', 'model'), { recursive: true });
    const before = process.cwd();
    process.chdir(temporary);
    try {
      hub.reset();
      expect(await resolveModel('org/model', { environment })).toBe('org/model');
      expect(hub.log).toEqual([]);
      expect(await resolveModel('hf://org/model', { environment })).toBe(snapshot());
    } finally {
      process.chdir(before);
    }
  });

  it.each([
    ['org/model', undefined],
    ['org/model@v1', undefined],
    [`org/model@${defaultCommit}`, undefined],
    ['org/model', 'v1'],
  ])('of %s, revision %s, is fetched', async (model, revision) => {
    expect(await resolveModel(model, { environment, revision })).toBe(snapshot());
  });

  it.each<[string, string | undefined, RegExp]>([
    ['./no/such/folder', undefined, /there is no folder .\/no\/such\/folder, and it is no name of a model on a hub/],
    ['absent', undefined, /there is no folder absent/],
    ['', undefined, /there is no folder/],
    ['org/model', '../x', /"..\/x" is no branch, tag or commit/],
    [tmpdir(), 'main', /is a local folder, which has no revision "main"/],
    ['org/model', 'v2', /org\/model has no revision "v2"/],
  ])('of %s, revision %s, is refused', async (model, revision, message) => {
    await expect(resolveModel(model, { environment, revision })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(message),
      cure: expect.any(String),
    });
  });
});
