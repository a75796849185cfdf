/**
 * References to models on a hub: `org/name`, `org/name@revision`, and the same after `hf://`, where the old models without
 * an organisation (`hf://bert-base-uncased`) can be named too. A revision is a branch, a tag or a commit.
 */

/** A model on a hub. */
export interface HubReference {
  /** `org/name`. */
  readonly repo: string;
  /** Branch, tag or commit. @default 'main' */
  readonly revision: string;
}

const scheme = 'hf://';
const defaultRevision = 'main';
const maxRepoLength = 96;

/** Reads a reference; undefined when the text is none. */
export function parseHubReference(text: string): HubReference | undefined {
  const withScheme = text.startsWith(scheme);
  const [repo = '', ...rest] = (withScheme ? text.slice(scheme.length) : text).split('@');
  const revision = rest.length === 0 ? defaultRevision : rest.join('@');
  const parts = repo.split('/');
  if (parts.length > 2 || (parts.length < 2 && !withScheme)) return undefined;
  if (repo.length > maxRepoLength || !parts.every(isRepoPart) || !isRevision(revision)) return undefined;
  return { repo, revision };
}

/** Whether a revision can be the name of a branch, a tag or a commit, and of a file in the cache. */
export function isRevision(revision: string): boolean {
  return (
    revision.length <= 200 &&
    /^[\w./+-]+$/.test(revision) &&
    revision.split('/').every((part) => !/^[.-]|\.$|\.lock$|\.\.|^$/.test(part))
  );
}

/** Whether a revision is a full commit hash, which never changes its meaning. */
export function isCommit(revision: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(revision);
}

function isRepoPart(part: string): boolean {
  return /^[\w.-]+$/.test(part) && !/^[.-]|[.-]$|--|\.\.|\.git$/.test(part);
}
