/**
 * Fetches one file into the blobs of the cache. A download goes into a file of its own; when it ends early, by an error or
 * an interruption, that file is left under the name ETAG.lexray.incomplete, and the next download claims it by renaming
 * and asks for the rest only (`Range`). Two downloads never write into one file, and a blob appears by renaming after
 * the bytes on disk have the hash that the hub promised.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { WarningListener } from '../../util/progress.ts';
import { checkStatus, type HubFile } from './hub-api.ts';
import type { RepoCache } from './hub-cache.ts';
import {
  chunksOf,
  discard,
  type HubClient,
  network,
  PassingFailure,
  send,
  type Watch,
  withRetries,
} from './hub-request.ts';

/** What a download tells while it runs. */
export interface DownloadListeners {
  /** Bytes of the file that are on disk now. */
  readonly onBytes: (bytes: number) => void;
  readonly onWarning?: WarningListener | undefined;
}

/** Milliseconds after which a file that nobody writes was left by a program that is gone. */
const abandonedAfter = 10 * 60_000;
/** A connection that brought so many bytes was no failed attempt. */
const worthwhile = 1 << 14;

/**
 * Fetches a file if its content is not in the cache.
 * @returns how many bytes were fetched
 * @throws LexrayError NETWORK when the transfer fails for good or the content is not what the hub promised
 */
export async function downloadBlob(
  client: HubClient,
  cache: RepoCache,
  repo: string,
  file: HubFile,
  { onBytes, onWarning }: DownloadListeners,
): Promise<number> {
  if (await cache.hasBlob(file.etag, file.size)) {
    onBytes(file.size);
    return 0;
  }
  const blob = cache.blob(file.etag);
  await mkdir(dirname(blob), { recursive: true });
  const path = join(dirname(blob), `${file.etag}.lexray-${randomBytes(4).toString('hex')}.incomplete`);
  await claimPartial(blob, path);
  const target = await open(path, 'a+');
  let finished = false;
  let fetched = 0;
  try {
    for (let round = 1; ; round++) {
      fetched += await transfer(client, repo, file, target, onBytes);
      const wrong = await wrongHash(path, file, onWarning);
      if (wrong === undefined) break;
      await target.truncate(0);
      // A damaged beginning from an earlier run, or a bad day of a cache in between: once more from the start.
      if (round === 2)
        throw network(`${file.path} of ${repo} has the hash ${wrong}; ${file.etag} was promised`, client);
    }
    await target.sync();
    await target.close();
    await rename(path, blob).catch(async (error: unknown) => {
      if (!(await cache.hasBlob(file.etag, file.size))) throw error;
    });
    finished = true;
  } finally {
    if (!finished) await release(target, path, blob);
    else await removePartials(blob);
  }
  return fetched;
}

/** Fetches what is missing of a file, over as many connections as it takes. */
async function transfer(
  client: HubClient,
  repo: string,
  file: HubFile,
  target: FileHandle,
  onBytes: (bytes: number) => void,
): Promise<number> {
  let reached = await sizeOf(target, file.size);
  let mark = reached;
  let fetched = 0;
  const report = (bytes: number, received: number): void => {
    reached = bytes;
    fetched += received;
    onBytes(bytes);
  };
  const advanced = (): boolean => {
    const enough = reached - mark >= worthwhile;
    mark = reached;
    return enough;
  };
  await withRetries(
    client,
    `fetch ${file.path} of ${repo}`,
    (watch) => transferOnce(client, watch, repo, file, target, report),
    advanced,
  );
  return fetched;
}

/** @param report gets the bytes of the file that are on disk, and how many of them came just now */
async function transferOnce(
  client: HubClient,
  watch: Watch,
  repo: string,
  file: HubFile,
  target: FileHandle,
  report: (bytes: number, received: number) => void,
): Promise<void> {
  let at = await sizeOf(target, file.size);
  report(at, 0);
  if (at === file.size) return;
  const response = await send(client, watch, file.url, { headers: at > 0 ? { range: `bytes=${at}-` } : {} });
  if (response.status === 416) {
    discard(response);
    await target.truncate(0);
    throw new PassingFailure(`the server has no byte ${at} of ${file.path}`);
  }
  checkStatus(client, response, repo, 'this commit', file.path);
  if (at > 0 && (response.status !== 206 || !beginsAt(response, at))) {
    // The whole file, although a part was asked for.
    at = 0;
    await target.truncate(0);
  }
  for await (const chunk of chunksOf(watch, response)) {
    if (at + chunk.length > file.size) {
      await target.truncate(0);
      throw network(`${file.path} of ${repo} is longer than the ${file.size} bytes that were announced`, client);
    }
    await target.appendFile(chunk);
    at += chunk.length;
    report(at, chunk.length);
  }
  if (at < file.size) throw new PassingFailure(`the transfer ended after ${at} of ${file.size} bytes`);
}

function beginsAt({ headers }: Response, at: number): boolean {
  return new RegExp(`^bytes ${at}-`).test(headers.get('content-range') ?? '');
}

/** How much of a file is there; what is too long is thrown away. */
async function sizeOf(target: FileHandle, expected: number): Promise<number> {
  const { size } = await target.stat();
  if (size <= expected) return size;
  await target.truncate(0);
  return 0;
}

/** The hash of a file on disk if it is not the promised one. */
async function wrongHash(
  path: string,
  { etag, size, path: name }: HubFile,
  onWarning: WarningListener | undefined,
): Promise<string | undefined> {
  const isSha256 = /^[0-9a-f]{64}$/.test(etag);
  if (!isSha256 && !/^[0-9a-f]{40}$/.test(etag)) {
    onWarning?.(`the hub gives no hash of ${name}, so only its size was checked`);
    return undefined;
  }
  const hash = createHash(isSha256 ? 'sha256' : 'sha1');
  if (!isSha256) hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  const digest = hash.digest('hex');
  return digest === etag ? undefined : digest;
}

/** Makes what an earlier download left its own; of two that try, one gets it. */
async function claimPartial(blob: string, path: string): Promise<void> {
  for (const partial of await partialsOf(blob)) {
    const status = await stat(partial).catch(() => undefined);
    const isFree = partial === releasedName(blob) || (status && Date.now() - status.mtimeMs > abandonedAfter);
    if (!isFree) continue;
    const claimed = await rename(partial, path).then(
      () => true,
      () => false,
    );
    if (claimed) return;
  }
}

/** Leaves a partial download for the next one. */
async function release(target: FileHandle, path: string, blob: string): Promise<void> {
  const size = await target.stat().then(
    (status) => status.size,
    () => 0,
  );
  await target.close().catch(() => {});
  const kept =
    size > 0 &&
    (await rename(path, releasedName(blob)).then(
      () => true,
      () => false,
    ));
  if (!kept) await rm(path, { force: true });
}

/** A blob that is whole needs no beginnings. Files that others still write into are theirs to remove. */
async function removePartials(blob: string): Promise<void> {
  for (const partial of await partialsOf(blob)) {
    const status = await stat(partial).catch(() => undefined);
    if (partial === releasedName(blob) || (status && Date.now() - status.mtimeMs > abandonedAfter)) {
      await rm(partial, { force: true }).catch(() => {});
    }
  }
}

async function partialsOf(blob: string): Promise<readonly string[]> {
  const start = `${basename(blob)}.lexray`;
  const names = await readdir(dirname(blob)).catch((): string[] => []);
  const found = names.filter((name) => name.startsWith(start) && name.endsWith('.incomplete'));
  return found.sort().map((name) => join(dirname(blob), name));
}

function releasedName(blob: string): string {
  return `${blob}.lexray.incomplete`;
}
