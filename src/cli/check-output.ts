/** Refuses an output that exists before the work that would be lost, not after it. */
import { stat } from 'node:fs/promises';
import { LexrayError } from '../util/errors.ts';
import { realPath } from '../util/output-lock.ts';
import { checkReplaceable } from '../util/write-atomic.ts';

/**
 * Checks that a file or folder may be written.
 * @throws LexrayError USAGE when it exists and `force` is not set, or is a folder of another kind
 */
export async function checkOutput(path: string, force: boolean): Promise<void> {
  if (force) return checkReplaceable(path);
  try {
    await stat(path);
  } catch {
    return;
  }
  throw new LexrayError('USAGE', `the output already exists: ${path}`, {
    where: path,
    cure: 'choose another output, or pass --force to replace it',
  });
}

/**
 * Checks that no output is an input or another output, by whatever path.
 * @throws LexrayError USAGE naming the two
 */
export async function checkDistinct(outputs: readonly string[], inputs: readonly string[]): Promise<void> {
  const taken = new Map<string, string>();
  for (const input of inputs) taken.set(await realPath(input), `the input ${input}`);
  for (const output of outputs) {
    const path = await realPath(output);
    const other = taken.get(path);
    if (other !== undefined) {
      throw new LexrayError('USAGE', `the output ${output} is the same file as ${other}`, {
        where: output,
        cure: 'give every output a path of its own',
      });
    }
    taken.set(path, `the output ${output}`);
  }
}
