/** What the environment says about the hub: the variables of Hugging Face's own libraries, with their meaning there. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LexrayError } from '../../util/errors.ts';

/** Where models come from and where they are kept. */
export interface HubEnvironment {
  /** `HF_ENDPOINT`, without a slash at its end. @default 'https://huggingface.co' */
  readonly endpoint: string;
  /**
   * The folder with `models--ORG--NAME` in it: `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `$HF_HOME/hub`.
   * @default '~/.cache/huggingface/hub', or in `XDG_CACHE_HOME` instead of `~/.cache`
   */
  readonly cacheFolder: string;
  /** `HF_TOKEN`, else what is in the file `HF_TOKEN_PATH` or `$HF_HOME/token`. */
  readonly token: string | undefined;
  /** `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE`: only what is in the cache is used. */
  readonly offline: boolean;
}

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment.
 * @throws LexrayError CONFIG when HF_ENDPOINT is no web address or the token cannot be one
 */
export function readHubEnvironment(env: Variables = process.env): HubEnvironment {
  const home = expandHome(env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface'));
  return {
    endpoint: readEndpoint(env.HF_ENDPOINT || 'https://huggingface.co'),
    cacheFolder: expandHome(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, 'hub')),
    token: readToken(env, home),
    offline: isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
  };
}

function readEndpoint(text: string): string {
  const endpoint = text.replace(/\/+$/, '');
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username) {
    throw new LexrayError('CONFIG', 'HF_ENDPOINT is no web address', {
      where: 'HF_ENDPOINT',
      cure: 'write it as https://HOST, or unset it',
    });
  }
  return endpoint;
}

function readToken(env: Variables, home: string): string | undefined {
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const path = expandHome(env.HF_TOKEN_PATH || join(home, 'token'));
  const fromEnvironment = (env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN)?.trim();
  const token = fromEnvironment || (existsSync(path) ? readFileSync(path, 'utf8').trim() : '');
  if (token === '') return undefined;
  // Anything else in a header would be an error whose message shows the token.
  if (!/^[\x21-\x7e]{1,4096}$/.test(token)) {
    const where = fromEnvironment ? 'HF_TOKEN' : path;
    throw new LexrayError('CONFIG', 'the hub token has characters that no token has', {
      where,
      cure: 'copy the token again from the settings of your account',
    });
  }
  return token;
}

function isTrue(value: string | undefined): boolean {
  return ['1', 'on', 'yes', 'true'].includes(value?.toLowerCase() ?? '');
}

function expandHome(path: string): string {
  return path === '~' || /^~[/\\]/.test(path) ? join(homedir(), path.slice(1)) : path;
}
