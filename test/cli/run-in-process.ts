/** Runs the command line within the test, without the start of a process. */
import { runCommandLine } from '../../src/cli/command-line.ts';
import { verbs } from '../../src/cli/registry.ts';
import type { Outcome } from './run-lexray.ts';

/** Runs `lexray ARGUMENTS…` on one thread. Paths are relative to the folder of the tests' own process. */
export async function runInProcess(...args: readonly string[]): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string): void => {
      texts[name] += text;
    },
  });
  const code = await runCommandLine(args, verbs, {
    env: { LEXRAY_THREADS: '1' },
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    signal: new AbortController().signal,
  });
  return { code, ...texts };
}
