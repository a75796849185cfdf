/** Fetches a model from a hub into the cache of Hugging Face's libraries, as far as it is not there. */
import { mkdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, LexrayError } from '../../util/errors.ts';
import { mapConcurrently } from '../../util/map-concurrently.ts';
import type { ProgressListener, WarningListener } from '../../util/progress.ts';
import { downloadBlob } from './download-blob.ts';
import { fetchFileFacts, fetchListing, type HubFile, type Listing } from './hub-api.ts';
import { RepoCache } from './hub-cache.ts';
import { type HubEnvironment, readHubEnvironment } from './hub-environment.ts';
import { type HubReference, isCommit } from './hub-reference.ts';
import type { HubClient, Patience } from './hub-request.ts';
import { chooseModelFiles } from './model-files.ts';

/** Options of {@link pullModel}. */
export interface PullOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
  readonly onWarning?: WarningListener | undefined;
  /** @default what the environment variables say */
  readonly environment?: HubEnvironment | undefined;
  readonly patience?: Patience | undefined;
}

/** A model that is in the cache. */
export interface PulledModel extends HubReference {
  /** Holds the files of the model, as links. */
  readonly folder: string;
  readonly commit: string;
  /** Paths in the folder. */
  readonly files: readonly string[];
  /** Bytes that were fetched just now. */
  readonly bytesFetched: number;
}

const filesAtATime = 4;
const largestJson = 64_000_000;

/**
 * Brings a model into the cache: only the files that Lexray needs, each checked against the hash that the hub promises.
 * What an interrupted call has fetched is kept, and the next one goes on from there. Without a network, or with
 * `HF_HUB_OFFLINE=1`, a model that is in the cache is used.
 * @throws LexrayError BAD_INPUT when there is no such model or revision, or it lacks a file; NETWORK when the hub cannot be
 * reached and the cache does not have all of it, when the model is gated, or when contents are not what was promised
 */
export async function pullModel(reference: HubReference, options: PullOptions = {}): Promise<PulledModel> {
  const { signal, onWarning, patience } = options;
  const environment = options.environment ?? readHubEnvironment();
  const cache = new RepoCache(environment.cacheFolder, reference.repo);
  const cached = await findCached(cache, reference);
  if ('folder' in cached && (environment.offline || isCommit(reference.revision))) return cached;
  if (environment.offline) throw notCached(reference, environment, 'folder' in cached ? '' : cached.missing);
  const inCache = 'folder' in cached;
  const client: HubClient = {
    endpoint: environment.endpoint,
    token: environment.token,
    signal,
    patience: {
      attempts: patience?.attempts ?? 5,
      pause: patience?.pause ?? 1,
      silence: patience?.silence ?? 30,
    },
  };
  // What is in the cache already is not worth a long wait for a network that is not there.
  const short = { ...client.patience, attempts: 1, silence: Math.min(10, client.patience.silence) };
  let listing: Listing;
  try {
    listing = await fetchListing(inCache ? { ...client, patience: short } : client, reference);
  } catch (error) {
    if (!inCache || !(error instanceof LexrayError) || error.code !== 'NETWORK') throw error;
    onWarning?.(`${error.message}; ${reference.repo} is used as it is in the cache, commit ${cached.commit}`);
    return cached;
  }
  return fetchFiles(client, cache, reference, listing, options);
}

async function fetchFiles(
  client: HubClient,
  cache: RepoCache,
  reference: HubReference,
  { commit, sizes }: Listing,
  { onProgress, onWarning }: PullOptions,
): Promise<PulledModel> {
  const { repo } = reference;
  const facts = new Map<string, HubFile>();
  let bytesFetched = 0;
  const lookUp = async (path: string, by: HubClient): Promise<HubFile> => {
    const known = facts.get(path);
    if (known !== undefined) return known;
    const file = await fetchFileFacts(by, repo, commit, path, sizes.get(path));
    facts.set(path, file);
    return file;
  };
  const readJson = async (path: string): Promise<unknown> => {
    if (await cache.has(commit, path)) return parseJson(join(cache.snapshot(commit), path), path);
    const file = await lookUp(path, client);
    const fetched = await downloadBlob(client, cache, repo, file, { onBytes: () => {}, onWarning });
    bytesFetched += fetched;
    return parseJson(cache.blob(file.etag), path);
  };
  const { paths, missing } = await chooseModelFiles([...sizes.keys()], readJson);
  if (missing !== undefined) {
    throw badInput(`${repo} has no ${missing}`, {
      where: `${client.endpoint}/${repo}`,
      cure: 'choose a model for transformers or sentence-transformers, or another revision',
    });
  }
  const lacking: string[] = [];
  for (const path of paths) if (!(await cache.has(commit, path))) lacking.push(path);
  const files = await mapConcurrently(
    lacking,
    2 * filesAtATime,
    (path, signal) => lookUp(path, { ...client, signal }),
    client.signal,
  );
  // Small contents first; what two paths share is fetched once.
  const contents = [...new Map(files.map((file) => [file.etag, file])).values()].sort((a, b) => a.size - b.size);
  await checkSpace(cache, repo, contents);
  const total = contents.reduce((sum, { size }) => sum + size, 0);
  const amounts = new Map<string, number>();
  await mapConcurrently(
    contents,
    filesAtATime,
    async (file, signal) => {
      const onBytes = (bytes: number): void => {
        amounts.set(file.etag, bytes);
        const done = [...amounts.values()].reduce((sum, amount) => sum + amount, 0);
        onProgress?.({ phase: `fetch ${repo}`, done, total, unit: 'bytes' });
      };
      const fetched = await downloadBlob({ ...client, signal }, cache, repo, file, { onBytes, onWarning });
      bytesFetched += fetched;
    },
    client.signal,
  );
  // Links come last, so that a snapshot is never half a model because a download failed.
  for (const { path, etag } of files) await cache.link(commit, path, etag);
  await cache.writeRef(reference.revision, commit);
  return { ...reference, folder: cache.snapshot(commit), commit, files: [...paths].sort(), bytesFetched };
}

/** The model in the cache, or what it lacks there. */
async function findCached(
  cache: RepoCache,
  reference: HubReference,
): Promise<PulledModel | { readonly missing: string | undefined }> {
  const commit = await cache.commitOf(reference.revision);
  if (commit === undefined) return { missing: undefined };
  const names = await cache.list(commit);
  const readJson = (path: string): Promise<unknown> => parseJson(join(cache.snapshot(commit), path), path);
  const { paths, missing } = await chooseModelFiles(names, readJson);
  if (missing !== undefined) return { missing };
  return { ...reference, folder: cache.snapshot(commit), commit, files: [...paths].sort(), bytesFetched: 0 };
}

function notCached(
  { repo, revision }: HubReference,
  { cacheFolder }: HubEnvironment,
  missing: string | undefined,
): LexrayError {
  const what = missing === undefined ? `revision ${revision} of ${repo}` : `${missing} of ${repo} (${revision})`;
  return new LexrayError('NETWORK', `${what} is not in the cache, and HF_HUB_OFFLINE forbids to fetch it`, {
    where: cacheFolder,
    cure: `unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE, and run: lexray pull ${repo}${revision === 'main' ? '' : `@${revision}`}`,
  });
}

async function checkSpace(cache: RepoCache, repo: string, files: readonly HubFile[]): Promise<void> {
  let needed = 0;
  for (const { etag, size } of files) if (!(await cache.hasBlob(etag, size))) needed += size;
  if (needed === 0) return;
  await mkdir(cache.folder, { recursive: true });
  const { bavail, bsize } = await statfs(cache.folder);
  // An interrupted download may have brought part of it already, so this refuses only what cannot fit at all.
  if (needed > bavail * bsize + (await sizeOfPartials(cache, files))) {
    throw new LexrayError('FAILED', `${repo} needs ${needed} bytes; the disk of the cache has ${bavail * bsize}`, {
      where: cache.folder,
      cure: 'free some space, or set HF_HOME to another disk',
    });
  }
}

async function sizeOfPartials(cache: RepoCache, files: readonly HubFile[]): Promise<number> {
  let size = 0;
  for (const { etag } of files)
    size += (await stat(`${cache.blob(etag)}.lexray.incomplete`).catch(() => undefined))?.size ?? 0;
  return size;
}

async function parseJson(path: string, name: string): Promise<unknown> {
  const { size } = await stat(path);
  if (size > largestJson) throw badInput(`${name} has ${size} bytes; at most ${largestJson} are read`, { where: path });
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    throw badInput(`${name} is not JSON`, { where: path, cause, cure: 'choose another model or revision' });
  }
}
