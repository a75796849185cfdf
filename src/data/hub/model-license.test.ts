import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isNonCommercial, readModelLicense } from './model-license.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the licence of a card', () => {
  it.each<[string, string | undefined]>([
    ['---\nlicense: apache-2.0\ntags: [x]\n---\n# Model', 'apache-2.0'],
    ['\uFEFF---\r\nlicense: mit\r\n---\r\n', 'mit'],
    ['---\nlicense: other\nlicense_name: my-license\n---', 'my-license'],
    ['---\nlicense: [a, b]\n---\n', undefined],
    ['---\nlicense: "\\e[31m"\n---\n', undefined],
    ['---\nlicense: [\n---\n', undefined],
    ['---\n- license\n---\n', undefined],
    ['---\n---\n', undefined],
    ['# A card\nlicense: mit', undefined],
    [`---\n${'x: 1\n'.repeat(50_000)}license: mit\n---\n`, undefined],
    ['', undefined],
  ])('%j', async (card, license) => {
    await writeFile(join(folder, 'README.md'), card);
    expect(await readModelLicense(folder)).toBe(license);
  });

  it('of a folder without card is not known', async () => {
    expect(await readModelLicense(join(folder, 'absent'))).toBeUndefined();
  });

  it.each([
    ['cc-by-nc-sa-4.0', true],
    ['CC-BY-NC-4.0', true],
    ['nc', true],
    ['apache-2.0', false],
    ['mit', false],
    ['bsd-2-clause', false],
    ['ncsa', false],
  ])('%s forbids commercial use: %s', (license, forbids) => {
    expect(isNonCommercial(license)).toBe(forbids);
  });
});
