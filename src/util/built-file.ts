/**
 * Finds files that exist only after the build (compiled kernels, worker entry points), from built code in `dist/`
 * and from sources run by a test runner alike.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LexrayError } from './errors.ts';

/**
 * The path of a built file.
 * @param path path below `dist/`, with forward slashes: `compute/kernels/search.wasm`
 * @throws LexrayError FAILED when the package was not built
 */
export function builtFile(path: string): string {
  const root = new URL('../../', import.meta.url);
  const file = fileURLToPath(new URL(`dist/${path}`, root));
  if (!existsSync(file)) {
    throw new LexrayError('FAILED', `the built file dist/${path} is missing`, { cure: 'run: npm run build' });
  }
  return file;
}
