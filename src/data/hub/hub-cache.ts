/**
 * The cache of Hugging Face's libraries, which Lexray shares with them:
 *
 *     models--ORG--NAME/refs/REVISION             the commit that a branch or tag stood for when it was last looked up
 *     models--ORG--NAME/blobs/ETAG                contents; the etag is the SHA-256 or the git hash of the content
 *     models--ORG--NAME/snapshots/COMMIT/PATH     relative links to blobs: the folder that is a model
 *
 * Blobs, links and refs appear by renaming, so that several programs can fill a cache at the same time without locks.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, lstat, mkdir, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { writeFileAtomic } from '../../util/write-atomic.ts';
import { isCommit } from './hub-reference.ts';

/** The part of the cache that belongs to one model. */
export class RepoCache {
  readonly folder: string;

  /** @param cacheFolder see {@link HubEnvironment.cacheFolder} */
  constructor(cacheFolder: string, repo: string) {
    this.folder = join(cacheFolder, ['models', ...repo.split('/')].join('--'));
  }

  /** The commit of a revision, as far as the cache knows. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const text = await readFile(join(this.folder, 'refs', revision), 'utf8').catch(() => '');
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  /** Remembers which commit a revision is. */
  async writeRef(revision: string, commit: string): Promise<void> {
    if (revision === commit || (await this.commitOf(revision)) === commit) return;
    await writeFileAtomic(join(this.folder, 'refs', revision), commit);
  }

  /** The folder of a commit. */
  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  /** Paths of the files of a commit that are in the cache, with forward slashes. */
  async list(commit: string): Promise<readonly string[]> {
    const root = this.snapshot(commit);
    const paths: string[] = [];
    const visit = async (folder: string, depth: number): Promise<void> => {
      const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        if (entry.isDirectory()) {
          if (depth < 8) await visit(path, depth + 1);
        } else if (await isFile(join(root, path))) paths.push(path);
      }
    };
    await visit('', 0);
    return paths;
  }

  /** Whether a file of a commit is in the cache. */
  has(commit: string, path: string): Promise<boolean> {
    return isFile(join(this.snapshot(commit), path));
  }

  /** Where the content with an etag is or will be. */
  blob(etag: string): string {
    return join(this.folder, 'blobs', etag);
  }

  /** Whether the content with an etag is there whole. */
  async hasBlob(etag: string, size: number): Promise<boolean> {
    const status = await stat(this.blob(etag)).catch(() => undefined);
    return status?.isFile() === true && status.size === size;
  }

  /**
   * Puts a blob into a snapshot: as a link; where the file system or, on Windows, the user's rights do not allow that, as
   * a hard link or a copy.
   */
  async link(commit: string, path: string, etag: string): Promise<void> {
    const pointer = join(this.snapshot(commit), path);
    const target = relative(dirname(pointer), this.blob(etag));
    await mkdir(dirname(pointer), { recursive: true });
    const status = await lstat(pointer).catch(() => undefined);
    if (status?.isSymbolicLink() && (await readlink(pointer).catch(() => '')) === target) return;
    const temporary = join(dirname(pointer), `.${basename(pointer)}.${randomBytes(4).toString('hex')}.partial`);
    try {
      await symlink(target, temporary, 'file').catch(() =>
        link(this.blob(etag), temporary).catch(() => copyFile(this.blob(etag), temporary, constants.COPYFILE_FICLONE)),
      );
      await rename(temporary, pointer);
    } catch (error) {
      // On Windows a file that another program has open cannot be replaced; it is the same content.
      if (!(await isFile(pointer))) throw error;
    } finally {
      // Also after renaming: where both names are hard links to one file already, renaming leaves both.
      await rm(temporary, { force: true });
    }
  }
}

/** Follows links. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}
