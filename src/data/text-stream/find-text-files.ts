/**
 * The files that a user means by paths, folders and patterns. A folder stands for the text files in it and below
 * (`.jsonl`, `.ndjson`, `.json`, `.tsv`, `.txt`, each perhaps with `.gz` or `.zst`), in the order of their paths.
 * In a pattern `*` and `?` stand for any characters of a name, `**` for any folders, `[abc]` and `{a,b}` for one of several.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { badInput } from '../../util/errors.ts';

const textFile = /\.(jsonl|ndjson|json|tsv|txt)(\.gz|\.zst)?$/i;
const patternCharacters = /[*?[{]/;

/**
 * Finds the files; one that is meant twice is given once.
 * @throws LexrayError BAD_INPUT when a path does not exist, or a folder or pattern has no file
 */
export async function findTextFiles(inputs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const input of inputs) {
    const status = await stat(input).catch(() => undefined);
    let files: string[];
    if (status?.isDirectory()) files = (await filesBelow(input)).filter((path) => textFile.test(path));
    else if (status !== undefined) files = [input];
    else if (patternCharacters.test(input)) files = await filesLike(input);
    else throw badInput(`there is no file ${input}`, { where: input, cure: 'check the path' });
    if (files.length === 0) {
      throw badInput(`no text file is in ${input}`, {
        where: input,
        cure: 'expected .jsonl, .json, .tsv or .txt files, each perhaps with .gz or .zst',
      });
    }
    for (const file of files) found.add(file);
  }
  return [...found];
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() || entry.isSymbolicLink());
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

async function filesLike(pattern: string): Promise<string[]> {
  const path = pattern.split(sep).join('/');
  const fixed = path.slice(0, path.search(patternCharacters));
  const folder = fixed.includes('/') ? fixed.slice(0, fixed.lastIndexOf('/')) || '/' : '.';
  const matcher = patternMatcher(path);
  const status = await stat(folder).catch(() => undefined);
  if (!status?.isDirectory()) return [];
  const prefix = folder === '.' && !path.startsWith('./') ? '' : folder === '/' ? '/' : `${folder}/`;
  const files = await filesBelow(folder);
  return files.filter((file) => {
    const below = file.split(sep).join('/').slice(join(folder, '/').length);
    return matcher.test(prefix + (folder === '.' ? file.split(sep).join('/') : below));
  });
}

/** A regular expression for a pattern. */
function patternMatcher(pattern: string): RegExp {
  const source = pattern.replace(/\*\*\/|\*\*|\*|\?|\[[^\]/]+\]|\{[^{}/]*\}|[\\^$.*+?()[\]{}|]/g, (part) => {
    if (part === '**/') return '(?:[^/]+/)*';
    if (part === '**') return '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    if (part.length > 1 && part.startsWith('[')) return part.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    if (part.length > 1 && part.startsWith('{')) {
      const words = part.slice(1, -1).split(',');
      return `(?:${words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll('\\*', '[^/]*')).join('|')})`;
    }
    return `\\${part}`;
  });
  return new RegExp(`^${source}$`);
}
