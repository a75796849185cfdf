/** Runs a cell in a process of its own, so that several run side by side: what is not the engine's work has one thread a process. */
import { fork } from 'node:child_process';
import { builtFile } from '../../util/built-file.ts';
import { type ErrorCode, LexrayError } from '../../util/errors.ts';
import type { Settings } from '../design.ts';
import type { CellResult } from '../result-line.ts';
import type { CellContext, RunCell } from '../runner.ts';
import type { CellsOptions } from './registry.ts';

/** What a process is told. */
export type CellOrder =
  | {
      readonly kind: 'run';
      readonly settings: Settings;
      readonly options: Omit<CellsOptions, 'signal'>;
      readonly context: Pick<CellContext, 'id' | 'levels' | 'seed'>;
    }
  | { readonly kind: 'interrupt' };

/** What it answers: warnings, then a result or an error. */
export type CellReply =
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'result'; readonly result: CellResult }
  | { readonly kind: 'error'; readonly error: ToldError };

/** What of an error passes between processes: of ours its code, place and cure, of Node's its code and path. */
export interface ToldError {
  /** Whether it is a `LexrayError`. */
  readonly ours: boolean;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string | undefined;
  readonly where?: string | undefined;
  readonly cure?: string | undefined;
  readonly path?: string | undefined;
}

/**
 * What runs each cell in a process of its own. The progress of a cell is not told, its warnings are.
 * @param options of `openCells`, which each process calls for its cell
 */
export function inProcesses({ signal: _, ...options }: CellsOptions): RunCell {
  return (settings, { id, levels, seed, signal, onWarning }) =>
    new Promise((resolve, reject) => {
      const child = fork(builtFile('study/cells/cell-worker.js'), [], { execArgv: [], serialization: 'advanced' });
      const order = (message: CellOrder): void => void child.send(message);
      const interrupt = (): void => order({ kind: 'interrupt' });
      const settle = (act: () => void): void => {
        signal?.removeEventListener('abort', interrupt);
        act();
      };
      child.on('message', (reply: CellReply) => {
        if (reply.kind === 'warning') onWarning?.(reply.message);
        else if (reply.kind === 'result') settle(() => resolve(reply.result));
        else settle(() => reject(asError(reply.error)));
      });
      child.on('error', (error) => settle(() => reject(error)));
      child.on('exit', (code, by) => {
        const how = by === null ? `with code ${code}` : `by ${by}`;
        settle(() => reject(new LexrayError('FAILED', `the process of the cell ended ${how} before it was done`)));
      });
      signal?.addEventListener('abort', interrupt);
      order({ kind: 'run', settings, options, context: { id, levels, seed } });
      if (signal?.aborted) interrupt();
    });
}

/** The error as it was thrown, so that it is told as it would be in this process. */
function asError({ ours, message, where, cure, ...told }: ToldError): Error {
  if (!ours) return Object.assign(new Error(message), told);
  return new LexrayError(told.code as ErrorCode, message, { ...(where && { where }), ...(cure && { cure }) });
}
