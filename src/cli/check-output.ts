/** Refuses an output that exists before the work that would be lost, not after it. */
import { stat } from 'node:fs/promises';
import { LexrayError } from '../util/errors.ts';
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
