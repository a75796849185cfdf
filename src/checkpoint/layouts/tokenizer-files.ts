/** The tokenizer's part of a model folder: files that are carried over as they are. */
import { copyFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput } from '../../util/errors.ts';

/** Files that belong to a tokenizer. */
export const tokenizerFileNames: readonly string[] = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'spiece.model',
  'sentencepiece.bpe.model',
];

/** Where tokenizer files come from: a folder, or their texts by name. */
export type TokenizerSource = string | Readonly<Record<string, string>>;

/**
 * Puts tokenizer files into a folder.
 * @throws LexrayError BAD_INPUT when there is no `tokenizer.json`, or a name is not that of a tokenizer file
 */
export async function writeTokenizerFiles(folder: string, source: TokenizerSource): Promise<void> {
  let found = false;
  if (typeof source === 'string') {
    for (const name of tokenizerFileNames) {
      const path = join(source, name);
      const status = await stat(path).catch(() => undefined);
      if (status === undefined) continue;
      if (!status.isFile()) throw badInput(`${path} is not a regular file`, { where: path, cure: 'check the path' });
      await copyFile(path, join(folder, name));
      found ||= name === 'tokenizer.json';
    }
  } else {
    for (const [name, text] of Object.entries(source)) {
      if (!tokenizerFileNames.includes(name)) {
        throw badInput(`${JSON.stringify(name)} is not the name of a tokenizer file`, {
          where: name,
          cure: `use: ${tokenizerFileNames.join(', ')}`,
        });
      }
      await writeFile(join(folder, name), text);
      found ||= name === 'tokenizer.json';
    }
  }
  if (!found) {
    const where = typeof source === 'string' ? source : 'tokenizer';
    throw badInput(`${where} has no tokenizer.json`, { where, cure: 'a model folder needs its tokenizer' });
  }
}
