#!/usr/bin/env node
/** The program `lexray`. Ctrl-C once asks for a clean stop; twice stops at once. */
import { LexrayError } from '../util/errors.ts';
import { runCommandLine } from './command-line.ts';
import { exitCodeOf, exitCodes, formatError } from './exit-code.ts';
import { verbs } from './registry.ts';

const controller = new AbortController();
const interrupt = (): void => {
  if (controller.signal.aborted) process.exit(exitCodes.interrupted);
  process.stderr.write('\nstopping … (once more to stop at once)\n');
  controller.abort();
};
process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
const fail = (error: unknown): never => {
  process.stderr.write(`${formatError(error, process.argv.includes('--verbose'))}\n`);
  process.exit(exitCodeOf(error));
};
const failToPrint = (error: NodeJS.ErrnoException): never => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  const reason = error.code === 'ENOSPC' ? 'the disk behind it is full' : error.message;
  return fail(
    new LexrayError('FAILED', `the result cannot be printed: ${reason}`, {
      cause: error,
      cure: 'mend standard output',
    }),
  );
};
process.stdout.on('error', failToPrint);
process.stderr.on('error', () => {}); // what nobody can read changes nothing
process.on('uncaughtException', fail);

const exitCode = await runCommandLine(process.argv.slice(2), verbs, {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: controller.signal,
});
// A worker that an error left behind must not keep the process alive; what was printed is flushed first.
process.stdout.write('', (error) => {
  if (error) failToPrint(error);
  process.stderr.write('', () => process.exit(exitCode));
});
