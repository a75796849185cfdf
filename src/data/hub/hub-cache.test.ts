import { link, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RepoCache } from './hub-cache.ts';

vi.mock('node:fs/promises', { spy: true });

const commit = 'a'.repeat(40);
let folder: string;
let cache: RepoCache;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-'));
  cache = new RepoCache(folder, 'org/model');
  await mkdir(join(cache.folder, 'blobs'), { recursive: true });
  await writeFile(cache.blob('e1'), 'content');
  await writeFile(cache.blob('e2'), 'other');
});
afterEach(async () => {
  vi.resetAllMocks();
  await rm(folder, { recursive: true });
});

const forbidden = (): Promise<never> => Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }));
const pointer = (path: string): string => join(cache.snapshot(commit), path);

describe('a link from a snapshot to a blob', () => {
  it.each([
    ['symbolic', 0, { symbolic: true, names: 1 }],
    ['hard, where symbolic ones are not allowed', 1, { symbolic: false, names: 2 }],
    ['a copy, where no links are allowed', 2, { symbolic: false, names: 1 }],
  ])('is %s', async (_title, forbiddenKinds, expected) => {
    if (forbiddenKinds > 0) vi.mocked(symlink).mockImplementation(forbidden);
    if (forbiddenKinds > 1) vi.mocked(link).mockImplementation(forbidden);
    await cache.link(commit, 'sub/config.json', 'e1');
    await cache.link(commit, 'sub/config.json', 'e1');
    const status = await lstat(pointer('sub/config.json'));
    expect({ symbolic: status.isSymbolicLink(), names: status.nlink }).toEqual(expected);
    expect(await readFile(pointer('sub/config.json'), 'utf8')).toBe('content');
    expect(await cache.list(commit)).toEqual(['sub/config.json']);
    expect(await cache.has(commit, 'sub/config.json')).toBe(true);
  });

  it('to a blob that is gone does not count, and is made anew', async () => {
    await cache.link(commit, 'x', 'e1');
    await rm(cache.blob('e1'));
    expect(await cache.has(commit, 'x')).toBe(false);
    expect(await cache.list(commit)).toEqual([]);
    await cache.link(commit, 'x', 'e2');
    expect(await readFile(pointer('x'), 'utf8')).toBe('other');
  });

  it('leaves nothing behind where it fails', async () => {
    await mkdir(pointer('x'), { recursive: true });
    await expect(cache.link(commit, 'x', 'e1')).rejects.toThrow();
    expect(await cache.list(commit)).toEqual([]);
  });
});

describe('a ref', () => {
  it('is the commit of a branch, and nothing else', async () => {
    expect(await cache.commitOf('main')).toBeUndefined();
    await cache.writeRef('main', commit);
    expect(await cache.commitOf('main')).toBe(commit);
    await writeFile(join(cache.folder, 'refs', 'main'), '../../..');
    expect(await cache.commitOf('main')).toBeUndefined();
    expect(await cache.commitOf(commit)).toBe(commit);
  });
});
