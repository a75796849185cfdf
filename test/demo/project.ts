/** A small project to learn from: packages made by hand, and TypeScript's parser without its own declarations. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const verbs = 'read write open close parse format sort filter merge split send receive'.split(' ');
const things = 'file stream buffer socket table column record query token vector image font color path cache'.split(
  ' ',
);
const manners = ['without waiting for the disk', 'and returns how many there are', 'as long as the network allows it'];

/** Writes 180 documented functions in three packages. */
export async function writeProject(folder: string): Promise<string> {
  const packages = ['alpha', '@scope/beta', 'gamma'];
  for (const [p, name] of packages.entries()) {
    const lines = verbs.flatMap((verb, v) =>
      things.slice(5 * p, 5 * p + 5).map((thing, t) => {
        const manner = manners[(v + t) % manners.length]!;
        const result = `${verb.replace(/^./, (letter) => letter.toUpperCase())}Result`;
        return [
          `/** Will ${verb} every ${thing} of the given group ${manner}. */`,
          `export function task${v}of${t}(${thing}: string): ${result};`,
        ].join('\n');
      }),
    );
    await mkdir(join(folder, 'node_modules', name), { recursive: true });
    await writeFile(join(folder, 'node_modules', name, 'index.d.ts'), `${lines.join('\n')}\n`);
  }
  const typescript = join(folder, 'node_modules', 'typescript');
  await mkdir(typescript);
  await writeFile(join(typescript, 'package.json'), '{ "name": "typescript", "main": "main.cjs" }\n');
  const real = createRequire(import.meta.url).resolve('typescript');
  await writeFile(join(typescript, 'main.cjs'), `module.exports = require(${JSON.stringify(real)});\n`);
  return folder;
}
