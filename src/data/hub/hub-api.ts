/**
 * The parts of the hub's HTTP interface that are needed to fetch a model:
 *
 *     GET  /api/models/REPO/revision/REVISION?blobs=true   {"sha": COMMIT, "siblings": [{"rfilename": PATH, "size": n}]}
 *     HEAD /REPO/resolve/COMMIT/PATH                       ETag and Content-Length of the content; where it is stored
 *                                                          elsewhere, X-Linked-Etag and X-Linked-Size, and a redirect
 *
 * The etag of a file in git is its git hash, SHA-1 of "blob SIZE\0" and the content; of a large file it is its SHA-256.
 */
import { badInput, LexrayError } from '../../util/errors.ts';
import { type HubReference, isCommit } from './hub-reference.ts';
import { discard, type HubClient, network, readBody, send, withRetries } from './hub-request.ts';

/** What a repository holds at a revision. */
export interface Listing {
  readonly commit: string;
  /** Paths of all files, with their sizes where the hub says them. */
  readonly sizes: ReadonlyMap<string, number | undefined>;
}

/** A file of a commit as the hub describes it. */
export interface HubFile {
  readonly path: string;
  readonly url: string;
  readonly etag: string;
  readonly size: number;
}

const maxListing = 16_000_000;

/**
 * Looks up a revision.
 * @throws LexrayError BAD_INPUT when there is no such model or revision; NETWORK when it is gated or cannot be reached
 */
export async function fetchListing(client: HubClient, { repo, revision }: HubReference): Promise<Listing> {
  const url = `${client.endpoint}/api/models/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const text = await withRetries(client, `look up ${repo}`, async (watch) => {
    const response = await send(client, watch, url);
    checkStatus(client, response, repo, revision);
    return new TextDecoder().decode(await readBody(client, watch, response, maxListing));
  });
  const unexpected = (): LexrayError => network(`${client.endpoint} does not answer as a hub does`, client);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unexpected();
  }
  const { sha, siblings } = (value ?? {}) as { sha?: unknown; siblings?: unknown };
  if (typeof sha !== 'string' || !isCommit(sha) || !Array.isArray(siblings)) throw unexpected();
  const sizes = new Map<string, number | undefined>();
  for (const sibling of siblings as readonly unknown[]) {
    const { rfilename, size } = (sibling ?? {}) as { rfilename?: unknown; size?: unknown };
    if (typeof rfilename !== 'string') throw unexpected();
    sizes.set(rfilename, isSize(size) ? size : undefined);
  }
  return { commit: sha, sizes };
}

/**
 * Asks for the hash and size of a file.
 * @param listed its size in the listing, for servers that do not say it again
 * @throws LexrayError like {@link fetchListing}
 */
export async function fetchFileFacts(
  client: HubClient,
  repo: string,
  commit: string,
  path: string,
  listed: number | undefined,
): Promise<HubFile> {
  const url = `${client.endpoint}/${repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`;
  return withRetries(client, `look up ${path} of ${repo}`, async (watch) => {
    const isLinked = ({ headers }: Response): boolean => headers.has('x-linked-etag');
    const response = await send(client, watch, url, { method: 'HEAD' }, isLinked);
    const { headers, status } = response;
    if (!isLinked(response) || status >= 400) checkStatus(client, response, repo, commit, path);
    const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\//, '').replace(/^"|"$/g, '');
    const length = headers.get('x-linked-size') ?? (isLinked(response) ? null : headers.get('content-length'));
    const size = length !== null && /^\d+$/.test(length) ? Number(length) : listed;
    if (!/^[\w=+-][\w.=+-]{0,199}$/.test(etag) || !isSize(size)) {
      throw network(`${client.endpoint} does not say the hash and size of ${path}`, client);
    }
    const from = headers.get('x-repo-commit');
    if (from !== null && from !== commit) {
      throw network(
        `${client.endpoint} has ${path} of another commit (${from.slice(0, 40)}) than was asked for`,
        client,
      );
    }
    return { path, url, etag, size };
  });
}

/**
 * Turns a refusal into an error that says what to do.
 * @throws LexrayError unless the status is 2xx
 */
export function checkStatus(
  client: HubClient,
  response: Response,
  repo: string,
  revision: string,
  path?: string,
): void {
  const { status, headers } = response;
  if (response.ok) return;
  discard(response);
  const page = `${client.endpoint}/${repo}`;
  const code = headers.get('x-error-code');
  const hasToken = client.token !== undefined;
  if (code === 'GatedRepo') {
    throw new LexrayError('NETWORK', `${repo} is gated: its authors let in who accepts their terms`, {
      where: page,
      cure: hasToken
        ? `accept the terms at ${page} with the account that your token belongs to`
        : `accept the terms at ${page}, then set HF_TOKEN to a token of your account`,
    });
  }
  if (status === 403) {
    throw new LexrayError('NETWORK', `${client.endpoint} forbids access to ${repo}`, {
      where: page,
      cure: `see ${page}: its terms may have to be accepted, or your token may lack the right to read it`,
    });
  }
  if (status === 401 && hasToken && code !== 'RepoNotFound') {
    throw new LexrayError('NETWORK', `${client.endpoint} refuses your token`, {
      where: page,
      cure: 'set HF_TOKEN to a valid token, or unset it (it may also come from the file token in HF_HOME)',
    });
  }
  if (code === 'RevisionNotFound') {
    throw badInput(`${repo} has no revision ${JSON.stringify(revision)}`, {
      where: page,
      cure: `its branches and tags are listed at ${page}/tree/main`,
    });
  }
  if (code === 'EntryNotFound' || (path !== undefined && status === 404)) {
    throw badInput(`${repo} has no file ${path ?? ''} at ${revision}`, {
      where: page,
      cure: 'choose another revision',
    });
  }
  if (status === 401 || status === 404 || code === 'RepoNotFound') {
    throw badInput(`there is no model ${repo} on ${client.endpoint}, or it is private`, {
      where: page,
      cure: hasToken
        ? 'check the spelling, and that your token may read it'
        : 'check the spelling; for a private model set HF_TOKEN',
    });
  }
  throw network(`${client.endpoint} answered ${status} for ${repo}`, client);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
