/**
 * The one error type of Lexray. A message says what was expected, what came, where, and the cure;
 * the code says which kind of failure it is, and `cli/` turns it into an exit code.
 */

/** Kinds of failure. Exit codes: USAGE and CONFIG 2, BAD_INPUT 3, NETWORK 4, GATE 5, INTERRUPTED 130, all others 1. */
export type ErrorCode =
  | 'USAGE'
  | 'CONFIG'
  | 'BAD_INPUT'
  | 'NETWORK'
  | 'GATE'
  | 'ENGINE_MISSING'
  | 'FAILED'
  | 'INTERRUPTED';

/** Where an error arose and how to mend it. */
export interface ErrorDetails {
  /** File, folder or field that the error is about. */
  readonly where?: string;
  /** What the user can do about it. */
  readonly cure?: string;
  readonly cause?: unknown;
}

/** An error meant for the user: one clear sentence, with a place and a cure. */
export class LexrayError extends Error {
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly cure: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'LexrayError';
    this.code = code;
    this.where = details.where;
    this.cure = details.cure;
  }
}

/** A `BAD_INPUT` error: a file or value from outside does not fit. */
export function badInput(message: string, details: ErrorDetails = {}): LexrayError {
  return new LexrayError('BAD_INPUT', message, details);
}

/** Throws `INTERRUPTED` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LexrayError('INTERRUPTED', 'interrupted', { cause: signal.reason });
}
