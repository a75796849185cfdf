/** The licence that a model's card states: `license:` in the YAML between the first two lines `---` of README.md. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

const longestHead = 1 << 16;

/** The identifier of the licence as the card has it (`mit`, `cc-by-nc-sa-4.0`); undefined where it says none. */
export async function readModelLicense(folder: string): Promise<string | undefined> {
  const head = await readHead(join(folder, 'README.md'));
  const yaml = head?.match(/^\uFEFF?---\r?\n([\s\S]*?)\r?\n---\s*(\r?\n|$)/)?.[1];
  if (yaml === undefined) return undefined;
  let card: unknown;
  try {
    card = parse(yaml, { logLevel: 'silent' });
  } catch {
    return undefined;
  }
  const { license, license_name: name } = (card ?? {}) as { license?: unknown; license_name?: unknown };
  const known = license === 'other' && typeof name === 'string' ? name : license;
  return typeof known === 'string' && /^[\w .+-]{1,100}$/.test(known) ? known : undefined;
}

/** Whether a licence forbids commercial use, by its identifier. */
export function isNonCommercial(license: string): boolean {
  return /(^|[^a-z])nc([^a-z]|$)|non-?commercial|research/i.test(license);
}

async function readHead(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(longestHead), 0, longestHead, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
