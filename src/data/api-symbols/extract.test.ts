import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProgressEvent } from '../../util/progress.ts';
import { type ExtractedSymbols, extractApiSymbols } from './extract.ts';

const ownNodeModules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

const files: Readonly<Record<string, string>> = {
  'tools/index.d.ts': `
    /** Reads the whole of a file into one string. More about it. */
    export declare function readAll(path: string, /* not this */ limit?: number): Promise<string>;
    /** Another overload of the same function that is not the first. */
    export declare function readAll(path: URL): Promise<string>;
    /** Too short to use. */
    export declare function brief(): void;
    /** See the other function for what this one does. */
    export declare function pointer(): void;
    /** @deprecated use another */
    export declare function old(): void;
    /** Still says what it does in words, @see x
     * @deprecated */
    export declare function oldButDescribed(): void;
    export declare function undocumented(): void;
    /** A place where values are kept for later use. */
    export interface Store<T> extends Base, Other<T> {
      /** How many values there are in the store now. */
      readonly size: number;
      /** Iterates over the values in the order of insertion. */
      [Symbol.iterator](): Iterator<T>;
      /** Options that say how long values are kept. */
      options: {
        /** Seconds after which a value is dropped again. */
        'max-age'?: number;
      };
      /** Values can be got by calling the store itself too. */
      (key: string): T;
    }
    /** The ways in which a store can lose its values. */
    export type Loss = 'age' | {
      /** The number of bytes that made it too large. */
      bytes: number
    };
    /** What happened to the value that was asked for. */
    export declare enum Outcome {
      /** The value was there and could be returned. */
      Found = 1,
      Missing
    }
    /** Settings that hold for all of the stores together. */
    export declare const defaults: {
      /** Whether to tell when a value has been lost. */
      verbose: boolean
    };
    export declare class Disk {
      /** The space that is left on it, counted in bytes. */
      get free(): number;
      /** Sets aside some space that nobody else may use. */
      set reserved(bytes: number);
      /** Links to {@link Store.size | the size} and {@link Outcome} and {@link https://example.org the manual} too. */
      check(): void;
    }
  `,
  'tools/index.d.mts': `/** This file comes later in the order of paths. */ export declare function later(): void;`,
  'tools/twin.d.cts': `/** This file comes later in the order of paths. */ export declare function later(): void;`,
  'tools/readme.ts': `/** Not a declaration file, so it is not read. */ export function no(): void {}`,
  'tools/node_modules/inner/index.d.ts': `/** A nested package, which is somebody else's matter. */ declare function x(): void;`,
  '@scope/types/index.d.ts': `
    declare module 'node:fs/promises' {
      namespace constants {
        /** The file is open for reading and nothing else. */
        const O_RDONLY: number;
      }
      global {
        /** A function that is there without any import. */
        function everywhere(): void;
      }
    }
  `,
  '.cache/index.d.ts': '/** Hidden folders hold no packages that count. */ declare function hidden(): void;',
};

let folder: string;
let extracted: ExtractedSymbols;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lexray-symbols-'));
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, 'node_modules', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  // The parser without its own declarations: they would be a second package.
  const parser = join(folder, 'node_modules', 'typescript');
  await mkdir(parser);
  await writeFile(join(parser, 'package.json'), '{ "name": "typescript", "main": "main.js" }');
  await writeFile(
    join(parser, 'main.js'),
    `module.exports = require(${JSON.stringify(join(ownNodeModules, 'typescript'))});`,
  );
  extracted = await extractApiSymbols(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const find = (qualifiedName: string) =>
  extracted.symbols.find((symbol) => symbol.qualifiedName === qualifiedName) ?? { qualifiedName: 'not found' };

describe('extractApiSymbols', () => {
  it('finds each documented symbol once, packages and files in order of their paths', () => {
    expect(extracted.symbols.map((symbol) => `${symbol.package} ${symbol.qualifiedName}`)).toEqual([
      '@scope/types fs.promises.constants.O_RDONLY',
      '@scope/types everywhere',
      'tools later',
      'tools readAll',
      'tools oldButDescribed',
      'tools Store',
      'tools Store.size',
      'tools Store.@@iterator',
      'tools Store.options',
      'tools Store.options.max-age',
      'tools Loss',
      'tools Loss.bytes',
      'tools Outcome',
      'tools Outcome.Found',
      'tools defaults',
      'tools defaults.verbose',
      'tools Disk.free',
      'tools Disk.reserved',
      'tools Disk.check',
    ]);
  });

  it('reads kind, signature and first sentence', () => {
    expect(find('readAll')).toEqual({
      package: 'tools',
      qualifiedName: 'readAll',
      name: 'readAll',
      kind: 'function',
      signature: '(path: string, limit?: number): Promise<string>',
      sentence: 'Reads the whole of a file into one string.',
      file: 'tools/index.d.ts',
    });
    expect(find('Store')).toMatchObject({
      kind: 'interface',
      signature: 'extends Base, Other<T> { size, @@iterator, options }',
    });
    expect(find('Store.size')).toMatchObject({ kind: 'property', signature: ': number' });
    expect(find('Store.@@iterator')).toMatchObject({ kind: 'method', signature: '(): Iterator<T>' });
    expect(find('Loss')).toMatchObject({ kind: 'type', signature: "= 'age' | { bytes: number }" });
    expect(find('Outcome')).toMatchObject({ kind: 'enum', signature: '{ Found, Missing }' });
    expect(find('Outcome.Found')).toMatchObject({ kind: 'constant', signature: '= 1' });
    expect(find('defaults.verbose')).toMatchObject({ kind: 'property', signature: ': boolean' });
    expect(find('Disk.free')).toMatchObject({ kind: 'property', signature: ': number' });
    expect(find('Disk.reserved')).toMatchObject({ kind: 'property', signature: ': bytes: number' });
    expect(find('everywhere')).toMatchObject({ kind: 'function', file: '@scope/types/index.d.ts' });
    expect(find('later')).toMatchObject({ file: 'tools/index.d.mts' });
  });

  it('puts the labels of links in their place', () => {
    expect(find('Disk.check')).toMatchObject({ sentence: 'Links to the size and Outcome and the manual too.' });
  });

  it('counts what it left out', () => {
    expect(extracted.statistics).toMatchObject({
      packages: 2,
      files: 4,
      tooShort: 1,
      boilerplate: 1,
      withoutText: 1,
      deprecatedOnly: 1,
      repeated: 1,
    });
  });

  it('gives the same on a second pass, and tells how far it is', async () => {
    const events: ProgressEvent[] = [];
    expect(await extractApiSymbols(folder, { onProgress: (event) => events.push(event) })).toEqual(extracted);
    expect(events.map((event) => event.done)).toEqual([0, 1, 2, 3]);
  });

  it('lets the filters be tuned', async () => {
    const { symbols, statistics } = await extractApiSymbols(folder, { minSentenceWords: 1, boilerplate: /^Too/g });
    const names = symbols.map((symbol) => symbol.name);
    expect(names).toContain('pointer');
    expect(names).not.toContain('brief');
    expect(statistics).toMatchObject({ tooShort: 0, boilerplate: 1 });
  });

  it('skips over-long and unreadable files with a warning, and keeps the others', async () => {
    const warnings: string[] = [];
    const broken = join(folder, 'node_modules', 'tools', 'broken.d.ts');
    await symlink(join(folder, 'nowhere'), broken);
    const { symbols } = await extractApiSymbols(folder, {
      maxFileBytes: 500,
      onWarning: (message) => warnings.push(message),
    });
    await rm(broken);
    expect(symbols.map((symbol) => symbol.name)).toEqual(['O_RDONLY', 'everywhere', 'later']);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/^tools\/broken\.d\.ts was skipped: ENOENT/);
    expect(warnings[1]).toMatch(/^tools\/index\.d\.ts was skipped: \d+ bytes are more than 500/);
  });

  it('survives a file that is nested beyond the stack', async () => {
    const deep = join(folder, 'node_modules', 'tools', 'z-deep.d.ts');
    await writeFile(deep, `/** A type that no parser gets to the end of. */ type Deep = ${'['.repeat(100_000)}`);
    const warnings: string[] = [];
    const { symbols } = await extractApiSymbols(folder, { onWarning: (message) => warnings.push(message) });
    await rm(deep);
    expect(symbols).toEqual(extracted.symbols);
    expect(warnings.join()).toMatch(/z-deep\.d\.ts was read in part/);
  });

  it('stops when it is told to', async () => {
    await expect(extractApiSymbols(folder, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
  });

  it('refuses the package of TypeScript 7, which has no parser API', async () => {
    const project = await mkdtemp(join(tmpdir(), 'lexray-symbols-'));
    const parser = join(project, 'node_modules', 'typescript');
    await mkdir(parser, { recursive: true });
    await writeFile(join(parser, 'package.json'), '{ "name": "typescript", "type": "module", "exports": "./v.cjs" }');
    await writeFile(join(parser, 'v.cjs'), 'module.exports = { version: "7.0.2", versionMajorMinor: "7.0" };');
    await expect(extractApiSymbols(project)).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('got version 7.0.2'),
      cure: expect.stringContaining('typescript@6'),
    });
    await rm(project, { recursive: true });
  });

  it('refuses a folder without typescript', async () => {
    const project = await mkdtemp(join(tmpdir(), 'lexray-symbols-'));
    await expect(extractApiSymbols(project)).rejects.toMatchObject({ code: 'BAD_INPUT', where: project });
    await rm(project, { recursive: true });
  });
});
