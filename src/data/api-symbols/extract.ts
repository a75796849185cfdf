/**
 * Extracts the documented API symbols of the packages in a project's `node_modules`: what each is called, its
 * signature, and the first sentence that its authors wrote about it. The result depends on the files alone: packages
 * and files are visited in code-unit order of their paths, and the first documented declaration of a name counts
 * (overloads and merged interfaces repeat it).
 */
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../../util/errors.ts';
import type { ProgressListener, WarningListener } from '../../util/progress.ts';
import { visitDeclarations } from './declarations.ts';
import { firstSentence, plainText } from './doc-sentence.ts';
import type { SymbolKind } from './signature.ts';
import { loadTypeScript, type TypeScriptModule } from './typescript-module.ts';

/** A documented symbol of a package. `package` and `qualifiedName` together are unique. */
export interface ApiSymbol {
  /** Package name: `@types/node`. */
  readonly package: string;
  /** Name through its containers: `fs.promises.readFile`. */
  readonly qualifiedName: string;
  readonly name: string;
  readonly kind: SymbolKind;
  /** `(path: string): void`, `: number`, `= A | B`, `extends Base { a, b }`; may be empty. */
  readonly signature: string;
  /** First sentence of the doc comment as plain text. */
  readonly sentence: string;
  /** Path below `node_modules`, with forward slashes. */
  readonly file: string;
}

/** Options of {@link extractApiSymbols}. */
export interface ExtractOptions {
  /** Sentences with fewer words say too little to search by. @default 6 */
  readonly minSentenceWords?: number;
  /** Sentences that match are no descriptions. @default references to other places, internal and to-do notes */
  readonly boilerplate?: RegExp;
  /** Larger files are skipped with a warning, in bytes. @default 16 MiB */
  readonly maxFileBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: ProgressListener;
  readonly onWarning?: WarningListener;
}

/** What was seen and what was left out. */
export interface ExtractStatistics {
  readonly packages: number;
  readonly files: number;
  readonly bytes: number;
  /** Declarations with a doc comment. */
  readonly documented: number;
  /** Comments without prose: only tags or links. */
  readonly withoutText: number;
  /** Those of them that only say `@deprecated`. */
  readonly deprecatedOnly: number;
  readonly tooShort: number;
  readonly boilerplate: number;
  /** Further declarations of a symbol that already has a sentence. */
  readonly repeated: number;
}

/** The symbols of a project and how they were found. */
export interface ExtractedSymbols {
  readonly symbols: readonly ApiSymbol[];
  readonly statistics: ExtractStatistics;
  /** The folder that was read. */
  readonly nodeModules: string;
  readonly typescriptVersion: string;
}

/** The default of {@link ExtractOptions.boilerplate}. */
export const defaultBoilerplate: RegExp =
  /^(?:MDN Reference|@|Alias (?:for|of)|See |Same as|Inherited from|TODO|Deprecated|This is an internal|For internal|Internal|For (?:more |detailed )?information|The following)/i;

/** Only this much of a doc comment is looked at, in characters. */
const maxCommentLength = 4000;
/** The event loop gets a turn after this many milliseconds of work. */
const turnMilliseconds = 30;

/**
 * Extracts the documented symbols of a project's packages.
 * @param folder the project; its `node_modules` must hold `typescript` 5 or 6
 * @throws LexrayError BAD_INPUT when there is no usable `typescript`, INTERRUPTED
 */
export async function extractApiSymbols(folder: string, options: ExtractOptions = {}): Promise<ExtractedSymbols> {
  const { nodeModules, typescript } = loadTypeScript(folder);
  const collector = new SymbolCollector(typescript, options);
  const packages = await listPackages(nodeModules);
  let turnEnds = performance.now() + turnMilliseconds;
  for (const [done, name] of packages.entries()) {
    options.onProgress?.({ phase: 'read declarations', done, total: packages.length, unit: 'packages' });
    const seen = new Set<string>();
    for (const file of await listDeclarationFiles(join(nodeModules, name))) {
      throwIfAborted(options.signal);
      await collector.readFile(join(nodeModules, name, file), name, `${name}/${file}`, seen);
      if (performance.now() > turnEnds) {
        await new Promise((resolve) => setImmediate(resolve));
        turnEnds = performance.now() + turnMilliseconds;
      }
    }
  }
  options.onProgress?.({
    phase: 'read declarations',
    done: packages.length,
    total: packages.length,
    unit: 'packages',
  });
  return { ...collector.result(), nodeModules, typescriptVersion: typescript.version };
}

class SymbolCollector {
  readonly #typescript: TypeScriptModule;
  readonly #options: ExtractOptions;
  readonly #symbols = new Map<string, ApiSymbol>();
  readonly #counts = {
    files: 0,
    bytes: 0,
    documented: 0,
    withoutText: 0,
    deprecatedOnly: 0,
    tooShort: 0,
    boilerplate: 0,
    repeated: 0,
  };

  constructor(typescript: TypeScriptModule, options: ExtractOptions) {
    this.#typescript = typescript;
    this.#options = options;
  }

  /** @param seen texts of the package so far: `.d.mts` and `.d.cts` are often twins of a `.d.ts` */
  async readFile(path: string, packageName: string, file: string, seen: Set<string>): Promise<void> {
    const { maxFileBytes = 16 << 20, onWarning } = this.#options;
    let text: string;
    try {
      const { size } = await stat(path);
      if (size > maxFileBytes) {
        onWarning?.(`${file} was skipped: ${size} bytes are more than ${maxFileBytes}`);
        return;
      }
      text = await readFile(path, 'utf8');
    } catch (error) {
      onWarning?.(`${file} was skipped: ${(error as Error).message}`);
      return;
    }
    this.#counts.files++;
    this.#counts.bytes += Buffer.byteLength(text);
    if (seen.has(text) || !text.includes('/**')) return;
    seen.add(text);
    try {
      visitDeclarations(text, path, this.#typescript, (declaration) => {
        this.#counts.documented++;
        const sentence = this.#sentence(declaration.comment, declaration.deprecated);
        if (sentence === undefined) return;
        const qualifiedName = [...declaration.containers, declaration.name].join('.');
        const key = `${packageName}\0${qualifiedName}`;
        if (this.#symbols.has(key)) {
          this.#counts.repeated++;
          return;
        }
        this.#symbols.set(key, {
          package: packageName,
          qualifiedName,
          name: declaration.name,
          kind: declaration.kind,
          signature: declaration.signature(),
          sentence,
          file,
        });
      });
    } catch (error) {
      // A file that the parser cannot digest (nested beyond the stack, say) must not end the work.
      onWarning?.(`${file} was read in part: ${(error as Error).message}`);
    }
  }

  #sentence(comment: string, deprecated: boolean): string | undefined {
    const { minSentenceWords = 6, boilerplate = defaultBoilerplate } = this.#options;
    const text = plainText(comment.slice(0, maxCommentLength));
    if (text === '') {
      this.#counts.withoutText++;
      if (deprecated) this.#counts.deprecatedOnly++;
      return undefined;
    }
    const sentence = firstSentence(text);
    if (sentence.split(' ').length < minSentenceWords) {
      this.#counts.tooShort++;
      return undefined;
    }
    boilerplate.lastIndex = 0;
    if (boilerplate.test(sentence)) {
      this.#counts.boilerplate++;
      return undefined;
    }
    return sentence;
  }

  result(): { symbols: readonly ApiSymbol[]; statistics: ExtractStatistics } {
    const symbols = [...this.#symbols.values()];
    const packages = new Set(symbols.map((symbol) => symbol.package)).size;
    return { symbols, statistics: { packages, ...this.#counts } };
  }
}

async function listPackages(nodeModules: string): Promise<string[]> {
  const packages: string[] = [];
  for (const name of await listNames(nodeModules)) {
    if (name.startsWith('.')) continue;
    if (name.startsWith('@')) {
      for (const inner of await listNames(join(nodeModules, name))) packages.push(`${name}/${inner}`);
    } else packages.push(name);
  }
  return packages.sort();
}

async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

/** Paths of declaration files below a package, with forward slashes, without those of nested packages. */
async function listDeclarationFiles(folder: string, below = ''): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(folder, below), { withFileTypes: true });
  } catch {
    return [];
  }
  const files: string[] = [];
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') files.push(...(await listDeclarationFiles(folder, path)));
    } else if (/\.d\.[cm]?ts$/.test(entry.name)) files.push(path);
  }
  return below === '' ? files.sort() : files;
}
