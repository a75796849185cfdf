/**
 * Reads the small JSON files of a model folder (`config.json`, `modules.json`…), which come from outside: bounded in
 * size and depth, and checked by a schema whose complaints become one sentence.
 */
import { readFile, stat } from 'node:fs/promises';
import type { z } from 'zod';
import { badInput, LexrayError } from '../util/errors.ts';
import { schemaComplaint } from '../util/schema-complaint.ts';

/** The largest file that is read unless more is allowed: 16 MB (a `config.json` with many labels has some hundred kB). */
const usualMaxSize = 16_000_000;
const maxDepth = 64;

/**
 * Reads a JSON file.
 * @param maxSize bytes at most
 * @returns the value, or `undefined` when there is no such file
 * @throws LexrayError BAD_INPUT when the file is too large, too deep or not JSON
 */
export async function readJsonIfExists(path: string, maxSize: number = usualMaxSize): Promise<unknown> {
  let text: string;
  try {
    const status = await stat(path);
    if (!status.isFile()) throw badInput(`${path} is not a regular file`, { where: path, cure: 'check the path' });
    if (status.size > maxSize) {
      throw badInput(`${path} has ${status.size} bytes; at most ${maxSize} are read`, { where: path });
    }
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    if (cause instanceof LexrayError) throw cause;
    throw badInput(`cannot read ${path}: ${(cause as Error).message}`, { where: path, cause, cure: 'check the path' });
  }
  if (isTooDeep(text)) throw badInput(`${path} is nested deeper than ${maxDepth}`, { where: path });
  try {
    return JSON.parse(text.startsWith('\uFEFF') ? text.slice(1) : text);
  } catch (cause) {
    throw badInput(`${path} is not JSON: ${(cause as Error).message}`, {
      where: path,
      cause,
      cure: 'fetch or write the file again',
    });
  }
}

/**
 * Reads a JSON file that must be there.
 * @throws LexrayError BAD_INPUT when it is missing or {@link readJsonIfExists} refuses it
 */
export async function readJson(path: string): Promise<unknown> {
  const value = await readJsonIfExists(path);
  if (value === undefined) throw badInput(`there is no ${path}`, { where: path, cure: 'check the path' });
  return value;
}

/**
 * Checks a value from a file against a schema.
 * @throws LexrayError BAD_INPUT with every field that does not fit
 */
export function checkJson<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const complaints = result.error.issues.slice(0, 5).map((issue) => schemaComplaint({ issues: [issue] }, value));
  throw badInput(`${where} does not fit: ${complaints.join('; ')}`, { where, cure: 'correct these fields' });
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

/** Whether brackets outside strings are nested deeper than allowed. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 0x5c) i++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}
