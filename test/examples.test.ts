/** The examples run, and the README shows the first of them as it is. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.mjs'));

describe('examples', () => {
  it.each(examples)('%s runs on the fixture model', (name) => {
    const model = join(root, 'test/fixtures/tiny-model');
    const result = spawnSync(process.execPath, [join('examples', name), model], { cwd: root, encoding: 'utf8' });
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
    expect(result.stdout.split('\n').length).toBeGreaterThan(3);
  });

  it('README.md shows examples/01-search.mjs', () => {
    const code = readFileSync(join(root, 'examples/01-search.mjs'), 'utf8');
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(`\`\`\`js\n${code}\`\`\``);
  });
});
