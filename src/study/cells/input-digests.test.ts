import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestInput } from './input-digests.ts';

const model = fileURLToPath(new URL('../../../test/fixtures/tiny-model', import.meta.url));
let folder = '';
const at = (...parts: readonly string[]): string => join(folder, ...parts);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray digests '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('knows a model by its weights, config and tokenizer, not by its place, card, manifest or hidden files', async () => {
  const before = await digestInput(model);
  await cp(model, at('copy'), { recursive: true });
  for (const name of ['README.md', 'DATA-LICENSES.md', 'manifest.json', '.note']) {
    await writeFile(at('copy', name), `made at another time: ${name}`);
  }
  expect(await digestInput(at('copy'))).toBe(before);
  await writeFile(at('copy', 'config.json'), '{}');
  expect(await digestInput(at('copy'))).not.toBe(before);
});

it('knows a file by its bytes, and says what is not there', async () => {
  await writeFile(at('README.md'), 'a');
  const before = await digestInput(at('README.md'));
  await writeFile(at('README.md'), 'b');
  expect(await digestInput(at('README.md'))).not.toBe(before);
  await expect(digestInput(at('nowhere'))).rejects.toThrow(/not there/);
});
