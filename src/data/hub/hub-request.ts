/**
 * Requests to a hub over `fetch`: retried with growing pauses where trying again can help, watched so that a silent server
 * does not hold them for ever, and redirected by hand, so that the token goes to the hub itself and nowhere else.
 */
import { LexrayError, throwIfAborted } from '../../util/errors.ts';
import { lexrayVersion } from '../../util/version.ts';
import type { HubEnvironment } from './hub-environment.ts';

/** How patient requests are. */
export interface Patience {
  /** How often a request is tried. @default 5 */
  readonly attempts?: number | undefined;
  /** Seconds before the second try; doubled each time. @default 1 */
  readonly pause?: number | undefined;
  /** Seconds without a byte until a try is given up. @default 30 */
  readonly silence?: number | undefined;
}

/** Who asks, and for how long. */
export interface HubClient extends Pick<HubEnvironment, 'endpoint' | 'token'> {
  readonly patience: Required<{ [K in keyof Patience]: number }>;
  readonly signal: AbortSignal | undefined;
}

/** Longest pause that a server may ask for, in seconds. */
const longestPause = 120;
const maxRedirects = 8;

/** A failure that may pass. */
export class PassingFailure extends Error {
  /** Seconds that the server asks to wait. */
  readonly retryAfter: number | undefined;

  constructor(message: string, options: { retryAfter?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter;
  }
}

/** Fires when the user interrupts, or when {@link Watch.alive} was not called for too long. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #seconds: number;
  readonly #user: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #expired = false;

  constructor({ patience, signal }: Pick<HubClient, 'patience' | 'signal'>) {
    this.#seconds = patience.silence;
    this.#user = signal;
    // Not AbortSignal.any: in Node 20 a signal made by it may be collected as garbage while somebody waits for it.
    if (signal?.aborted) this.#interrupt();
    signal?.addEventListener('abort', this.#interrupt, { once: true });
    this.alive();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Nothing came for too long. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Starts the time anew. */
  alive(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#expired = true;
      this.#controller.abort();
    }, this.#seconds * 1000);
  }

  /**
   * Waits for `work`, or until this fires. Node 20's `fetch` may forget its signal once the response has begun, and a body that
   * is read then waits for ever.
   */
  race<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(this.signal.reason);
      if (this.signal.aborted) stop();
      this.signal.addEventListener('abort', stop, { once: true });
      work.then(resolve, reject).finally(() => this.signal.removeEventListener('abort', stop));
    });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#user?.removeEventListener('abort', this.#interrupt);
  }

  readonly #interrupt = (): void => this.#controller.abort(this.#user?.reason);
}

/**
 * Does `work` until it succeeds, fails for good, or the attempts are used up.
 * @param what completes "could not …" in messages
 * @param work throws {@link PassingFailure}, or what `fetch` throws, where trying again can help
 * @param advanced whether the last attempt brought something, so that it does not count
 * @throws LexrayError NETWORK, or what `work` throws for good
 */
export async function withRetries<T>(
  client: HubClient,
  what: string,
  work: (watch: Watch) => Promise<T>,
  advanced: () => boolean = () => false,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(client.signal);
    const watch = new Watch(client);
    try {
      return await work(watch);
    } catch (error) {
      throwIfAborted(client.signal);
      if (!watch.expired && !isPassing(error)) throw error;
      if (advanced()) attempt = 1;
      const seconds = pauseBefore(attempt, error, client);
      if (seconds === undefined) throw givenUp(client, what, error, watch.expired);
      await pause(seconds, client.signal);
    } finally {
      watch.end();
    }
  }
}

/**
 * One request, with its redirects followed; the token is sent to the hub's own origin only.
 * @param until ends following early: that redirect is the response
 * @throws PassingFailure on 408, 429 and 5xx
 */
export async function send(
  client: HubClient,
  watch: Watch,
  url: string,
  init: { readonly method?: 'GET' | 'HEAD'; readonly headers?: Readonly<Record<string, string>> } = {},
  until: (response: Response) => boolean = () => false,
): Promise<Response> {
  const origin = new URL(client.endpoint).origin;
  let at = new URL(url);
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const token = at.origin === origin ? client.token : undefined;
    const sent = fetch(at.href, {
      method: init.method ?? 'GET',
      headers: {
        'user-agent': `lexray/${lexrayVersion}`,
        // A compressed answer has neither its length nor ranges.
        'accept-encoding': 'identity',
        ...init.headers,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      redirect: 'manual',
      signal: watch.signal,
    });
    const response = await watch.race(sent);
    watch.alive();
    const { status } = response;
    const location = response.headers.get('location');
    if (status >= 300 && status < 400 && location !== null && !until(response)) {
      discard(response);
      const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
      if (next === undefined || !isAllowed(at, next)) {
        throw network(`${at.host} redirects to an address that is not followed`, client);
      }
      at = next;
      continue;
    }
    if (status === 408 || status === 429 || status >= 500) {
      discard(response);
      throw new PassingFailure(`${at.host} answered ${status}`, { retryAfter: retryAfter(response) });
    }
    return response;
  }
  throw network(`${client.endpoint} redirects more than ${maxRedirects} times`, client);
}

/** The body of a response as it comes. */
export async function* chunksOf(watch: Watch, response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await watch.race(reader.read());
      if (done) return;
      watch.alive();
      yield value;
    }
  } finally {
    // Not waited for: the connection is closed in its own time.
    reader.cancel().catch(() => {});
  }
}

/** Leaves the body of a response unread. */
export function discard(response: Response): void {
  response.body?.cancel().catch(() => {});
}

/**
 * Reads the whole body of a response.
 * @throws LexrayError NETWORK when it is longer than `limit` bytes
 */
export async function readBody(
  client: HubClient,
  watch: Watch,
  response: Response,
  limit: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(watch, response)) {
    length += chunk.length;
    if (length > limit) throw network(`${response.url} answers with more than ${limit} bytes`, client);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** An error of code NETWORK. */
export function network(message: string, { endpoint }: Pick<HubClient, 'endpoint'>, cause?: unknown): LexrayError {
  return new LexrayError('NETWORK', message, {
    where: endpoint,
    cause,
    cure: 'check the network and HF_ENDPOINT, and try again: what was fetched is kept; behind a proxy set NODE_USE_ENV_PROXY=1 (Node 22.21 or newer)',
  });
}

/** Not from https to http, and to nothing but the web. */
function isAllowed(from: URL, to: URL): boolean {
  return to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
}

function isPassing(error: unknown): boolean {
  // `fetch` throws a TypeError with a cause when the connection fails, and so does reading a body that breaks off.
  return error instanceof PassingFailure || (error instanceof TypeError && error.cause !== undefined);
}

/** Seconds to wait before the next attempt; undefined when there is to be none. */
function pauseBefore(attempt: number, error: unknown, { patience }: HubClient): number | undefined {
  if (attempt >= patience.attempts) return undefined;
  const asked = error instanceof PassingFailure ? error.retryAfter : undefined;
  if (asked !== undefined) return asked > longestPause ? undefined : asked;
  return patience.pause * 2 ** (attempt - 1) * (1 + Math.random() / 4);
}

/** The header `Retry-After`: seconds or a date. */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get('retry-after')?.trim();
  if (!text) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

function givenUp(client: HubClient, what: string, error: unknown, silent: boolean): LexrayError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = silent ? `no answer for ${client.patience.silence} s` : (cause as Error).message;
  return network(`could not ${what}: ${reason}`, client, error);
}

function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', interrupted);
      resolve();
    }, seconds * 1000);
    const interrupted = (): void => {
      clearTimeout(timer);
      reject(new LexrayError('INTERRUPTED', 'interrupted', { cause: signal?.reason }));
    };
    signal?.addEventListener('abort', interrupted, { once: true });
  });
}
