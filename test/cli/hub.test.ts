/** Models by hub reference, as a user names them: pulled, used, offline, and refused. The hub is a server in this test. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { defaultCommit, FakeHub } from '../fixtures/fake-hub.ts';
import { tinyModel } from '../fixtures/model-folders.ts';
import { lexray, type Outcome, temporaryFolder, writeCollection } from './run-lexray.ts';

let folder = '';
let hub: FakeHub;
const at = (...parts: readonly string[]): string => join(folder, ...parts);

/** Every file below a folder, by path. */
async function filesOf(root: string): Promise<Record<string, Buffer>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files: Record<string, Buffer> = {};
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files[path.slice(root.length + 1).replaceAll('\\', '/')] = await readFile(path);
  }
  return files;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeCollection(at('data'));
  hub = await new FakeHub().start();
  const card = '---\nlicense: cc-by-nc-4.0\n---\n# Tiny';
  hub.models.set('org/tiny', { files: { ...(await filesOf(tinyModel)), 'README.md': card, 'onnx/model.onnx': 'x' } });
  hub.models.set('org/gated', { files: await filesOf(tinyModel), token: 'hf_right', gated: true });
  const torchZip = join(tinyModel, '..', 'goldens', 'torch-zip');
  const bin = {
    'config.json': await readFile(join(torchZip, 'bert', 'config.json')),
    'vocab.txt': 'a',
    'pytorch_model.bin': await readFile(join(torchZip, 'os-system.bin')),
  };
  hub.models.set('org/evil', { files: bin });
});
afterEach(() => hub.reset());
afterAll(async () => {
  await hub.stop();
  await rm(folder, { recursive: true, force: true });
});

function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  interruptWhen?: () => boolean,
): Promise<Outcome> {
  const settings = { HF_HOME: at('home'), HF_ENDPOINT: hub.address(), HF_HUB_CACHE: '', HUGGINGFACE_HUB_CACHE: '' };
  const rest = {
    HF_TOKEN: '',
    HF_TOKEN_PATH: '',
    HUGGING_FACE_HUB_TOKEN: '',
    HF_HUB_OFFLINE: '',
    TRANSFORMERS_OFFLINE: '',
  };
  return lexray(args, { cwd: folder, env: { ...settings, ...rest, ...env }, ...(interruptWhen && { interruptWhen }) });
}

const snapshot = (home = 'home'): string => at(home, 'hub', 'models--org--tiny', 'snapshots', defaultCommit);

describe('lexray pull', () => {
  it('prints the folder, and warns of a licence that forbids commercial use', async () => {
    const { code, stdout, stderr } = await run(['pull', 'org/tiny']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${snapshot()}\n` });
    expect(stderr).toContain('org/tiny is licensed as cc-by-nc-4.0: not for commercial use');
    expect(existsSync(join(snapshot(), 'onnx'))).toBe(false);
  });

  it('--json says what it is', async () => {
    const { code, stdout } = await run(['pull', 'hf://org/tiny@main', '--json']);
    expect(code).toBe(0);
    const { files, bytesFetched, ...rest } = JSON.parse(stdout) as { files: string[]; bytesFetched: number };
    expect(rest).toMatchObject({
      repo: 'org/tiny',
      revision: 'main',
      commit: defaultCommit,
      folder: snapshot(),
      license: 'cc-by-nc-4.0',
    });
    expect(files).toContain('1_SpladePooling/config.json');
    expect(bytesFetched).toBe(0);
  });

  it('interrupted keeps what was fetched, and the next one goes on from there', async () => {
    const env = { HF_HOME: at('third home') };
    const blobs = at('third home', 'hub', 'models--org--tiny', 'blobs');
    // Small files may be under way beside the large one. A name has digits of its own until its download ends.
    const partial = (end: RegExp): string[] =>
      existsSync(blobs) ? readdirSync(blobs).filter((name) => end.test(name)) : [];
    const hasSent = (name: string): boolean => statSync(join(blobs, name)).size === sent;
    const sent = 50_000;
    hub.fault = ({ server }, response, content) => {
      if (server !== 'store') return false;
      response.writeHead(200, { 'content-length': content!.length });
      response.write(content!.subarray(0, sent));
      return true;
    };
    const { code, stdout } = await run(['pull', 'org/tiny', '--quiet'], env, () =>
      partial(/incomplete$/).some(hasSent),
    );
    const kept = partial(/^[0-9a-f]{64}\.lexray\.incomplete$/).filter(hasSent);
    expect({ code, stdout, kept }).toEqual({ code: 130, stdout: '', kept: [expect.any(String)] });
    hub.reset();
    expect((await run(['pull', 'org/tiny', '--quiet'], env)).code).toBe(0);
    const ranges = hub.requests.filter(({ server }) => server === 'store').map(({ range }) => range);
    expect({ ranges, partial: partial(/incomplete$/) }).toEqual({ ranges: [`bytes=${sent}-`], partial: [] });
  });

  it.each([
    ['a path', ['pull', './org/tiny'], 3, /is no name of a model on a hub cure: write org\/name/],
    ['an unknown model', ['pull', 'org/none'], 3, /there is no model org\/none on http.* cure: check the spelling/],
    ['an unknown revision', ['pull', 'org/tiny@v9'], 3, /org\/tiny has no revision "v9"/],
    [
      'a gated model',
      ['pull', 'org/gated'],
      4,
      /org\/gated is gated.* cure: accept the terms at .*, then set HF_TOKEN/,
    ],
  ])('refuses %s', async (_title, args, expected, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('a verb with a model of the hub', () => {
  const encode = (model: string, output: string): string[] => [
    'encode',
    model,
    'data',
    '-o',
    output,
    '--kind',
    'query',
    '--quiet',
  ];

  it('fetches it, and gives the same vectors as the folder', async () => {
    const fetched = await run(encode('org/tiny', 'fetched'), { HF_HOME: at('other home') });
    expect(fetched).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(snapshot('other home'), 'model.safetensors'))).toBe(true);
    expect((await run(encode(tinyModel, 'local'))).code).toBe(0);
    expect(await readFile(at('fetched', 'values.f32'))).toEqual(await readFile(at('local', 'values.f32')));
    const manifests = await Promise.all(
      ['fetched', 'local'].map(
        async (name) =>
          JSON.parse(await readFile(at(name, 'manifest.json'), 'utf8')) as {
            config: { model: string };
            parents: Record<string, string>;
          },
      ),
    );
    // Links are followed, so that the digests of the model's files are recorded.
    expect(manifests[0]!.parents).toMatchObject(manifests[1]!.parents);
    expect(manifests[0]!.config.model).toBe('org/tiny');
  });

  it('works offline once it was fetched', async () => {
    await run(['pull', 'org/tiny']);
    hub.reset();
    const args = ['evaluate', 'org/tiny', '--data', 'data', '--json'];
    const { code, stdout } = await run(args, { HF_HUB_OFFLINE: '1' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ model: 'org/tiny', documents: 6 });
    expect(hub.log).toEqual([]);
  });

  it('offline ends with exit code 4 where it was not fetched', async () => {
    const { code, stderr } = await run(encode('org/absent', 'out'), { TRANSFORMERS_OFFLINE: '1' });
    expect(code).toBe(4);
    expect(stderr).toMatch(/^error: revision main of org\/absent is not in the cache, .* cure: unset HF_HUB_OFFLINE/m);
    expect(existsSync(at('out'))).toBe(false);
  });

  it('starts fine-tuning from it', async () => {
    const args = ['finetune', 'org/none', '--data', 'triples.tsv', '-o', 'tuned'];
    await writeFile(at('triples.tsv'), 'q\tp\tn\nq2\tp2\tn2\n');
    const { code, stderr } = await run(args);
    expect(code).toBe(3);
    expect(stderr).toContain('there is no model org/none on');
  });

  it('executes nothing of a model that asks for it', async () => {
    const { code, stdout, stderr } = await run(encode('org/evil', 'out'));
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/asks for "posix.system", which no tensor needs; nothing of it was run/);
    expect(stderr).not.toContain('executed');
  });
});
