/** Errors as the command line shows them: one line with place and cure, and an exit code by kind. */
import { LexrayError } from '../util/errors.ts';

/** Exit codes of `lexray`. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  badInput: 3,
  network: 4,
  gate: 5,
  interrupted: 130,
} as const;

/** The exit code of an error. */
export function exitCodeOf(error: unknown): number {
  switch (asLexrayError(error).code) {
    case 'USAGE':
    case 'CONFIG':
      return exitCodes.usage;
    case 'BAD_INPUT':
      return exitCodes.badInput;
    case 'NETWORK':
      return exitCodes.network;
    case 'GATE':
      return exitCodes.gate;
    case 'INTERRUPTED':
      return exitCodes.interrupted;
    default:
      return exitCodes.failed;
  }
}

/** An error of any origin as one of ours: what the file system, the network or an abort says is put into our kinds. */
export function asLexrayError(error: unknown): LexrayError {
  if (error instanceof LexrayError) return error;
  if (!(error instanceof Error)) return new LexrayError('FAILED', String(error), { cause: error });
  if (error.name === 'AbortError') return new LexrayError('INTERRUPTED', 'interrupted', { cause: error });
  const { code, path } = error as NodeJS.ErrnoException;
  const where = path === undefined ? {} : { where: path };
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new LexrayError('BAD_INPUT', 'no such file or folder', { ...where, cause: error, cure: 'check the path' });
    case 'EISDIR':
      return new LexrayError('BAD_INPUT', 'expected a file, got a folder', {
        ...where,
        cause: error,
        cure: 'check the path',
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new LexrayError('BAD_INPUT', 'permission denied', {
        ...where,
        cause: error,
        cure: 'check the permissions',
      });
    case 'ENOSPC':
      return new LexrayError('FAILED', 'the disk is full', {
        ...where,
        cause: error,
        cure: 'free some space; nothing half-written is left',
      });
    case 'ENOTFOUND':
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'ETIMEDOUT':
    case 'EAI_AGAIN':
      return new LexrayError('NETWORK', error.message, {
        cause: error,
        cure: 'check the network, or work from local files',
      });
    default:
      return new LexrayError('FAILED', error.message === '' ? error.name : error.message, {
        cause: error,
        cure: 'run again with --verbose to see where it comes from',
      });
  }
}

/** `error: … (where) cure: …`, in one line; with `verbose` the stack and its causes below. */
export function formatError(error: unknown, verbose: boolean): string {
  const known = asLexrayError(error);
  const message = known.message.replace(/\s+/g, ' ').trim();
  const where = known.where !== undefined && !message.includes(known.where) ? ` (${known.where})` : '';
  const cure = known.cure !== undefined ? ` cure: ${known.cure.replace(/\s+/g, ' ')}` : '';
  const line = `error: ${message}${where}${cure}`;
  if (!verbose) return line;
  const stacks: string[] = [];
  for (let e: unknown = known; e instanceof Error && stacks.length < 8; e = e.cause) stacks.push(e.stack ?? String(e));
  return `${line}\n${stacks.join('\ncaused by: ')}`;
}
