/**
 * Texts by id, for training data that name queries and documents by id: from a BEIR folder (`corpus.jsonl`,
 * `queries.jsonl`), or from a file of `read-texts.ts` (MS MARCO's `collection.tsv`, Parquet). Only the ids asked for are kept.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../util/errors.ts';
import { type ReadTextsOptions, readTexts } from './read-texts.ts';

/** What a lookup is for. */
export type TextKind = 'documents' | 'queries';

/**
 * The file that holds texts of a kind: the path itself when it is a file, else the one in the folder.
 * @returns undefined when there is none
 */
export function findTextFile(path: string, kind: TextKind): string | undefined {
  if (!existsSync(path)) return undefined;
  if (!statSync(path).isDirectory()) return path;
  const names =
    kind === 'documents' ? ['corpus.jsonl', 'collection.tsv'] : ['queries.jsonl', 'queries.train.tsv', 'queries.tsv'];
  const parquet = kind === 'documents' ? ['corpus.parquet', 'collection.parquet'] : ['queries.parquet'];
  return [...names.flatMap((name) => [name, `${name}.gz`, `${name}.zst`]), ...parquet]
    .map((name) => join(path, name))
    .find((file) => existsSync(file));
}

/**
 * Reads the texts of the ids that are wanted.
 * @throws LexrayError BAD_INPUT when the path holds no such texts
 */
export async function lookUpTexts(
  path: string,
  kind: TextKind,
  wanted: ReadonlySet<string>,
  options: ReadTextsOptions = {},
): Promise<Map<string, string>> {
  const file = findTextFile(path, kind);
  if (file === undefined) {
    throw badInput(`there are no ${kind} in ${path}`, {
      where: path,
      cure: `give a BEIR folder, or a file of ${kind} (.jsonl, .tsv or Parquet)`,
    });
  }
  const texts = new Map<string, string>();
  for await (const { id, text } of readTexts(file, options)) if (wanted.has(id)) texts.set(id, text);
  return texts;
}

/** Whether a file of texts has an id. */
export async function hasText(file: string, id: string, options: ReadTextsOptions = {}): Promise<boolean> {
  for await (const text of readTexts(file, options)) if (text.id === id) return true;
  return false;
}
