import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { defaultCommit, gitHash, sendContent } from '../../../test/fixtures/fake-hub.ts';
import { cacheFolder, files, hub, pull, refusal } from '../../../test/fixtures/hub-pull.ts';

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
    await expect(readdir(cacheFolder())).rejects.toThrow('ENOENT');
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
