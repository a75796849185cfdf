#!/usr/bin/env node
/** The program `lexray`. Ctrl-C once asks for a clean stop; twice stops at once. */
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
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});

process.on('uncaughtException', (error) => {
  process.stderr.write(`${formatError(error, process.argv.includes('--verbose'))}\n`);
  process.exit(exitCodeOf(error));
});

const exitCode = await runCommandLine(process.argv.slice(2), verbs, {
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: controller.signal,
});
// A worker that an error left behind must not keep the process alive; what was printed is flushed first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
