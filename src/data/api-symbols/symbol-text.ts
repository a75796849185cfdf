/**
 * The two texts of a symbol in the retrieval task. The query is what its author says about it, without its name, so
 * that it cannot be found by spelling; the document is its name and signature, so that it can be found by meaning only.
 */
import type { ApiSymbol } from './extract.ts';

/** Splits identifiers at case changes and underscores: `readFileSync` gives `read File Sync`, `HTMLElement` `HTML Element`. */
export function splitIdentifiers(text: string): string {
  return text
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .replace(/[_$`]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** The runs of ASCII letters and digits of a text, lower-cased. */
export function plainWords(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/**
 * The query of a symbol: its sentence without its own name and those of its containers (as whole identifiers, in any
 * case, and the hyphenated spelling of its name), identifiers split, quotes and empty parentheses removed.
 */
export function symbolQuery(symbol: ApiSymbol): string {
  const name = symbol.name.replace(/^@+/, '');
  const names = new Set([name, ...symbol.qualifiedName.split('.').slice(0, -1)].map((part) => part.toLowerCase()));
  const mention = new RegExp(
    `\`?\\b[A-Za-z_$][\\w$]*(?:\\.[A-Za-z_$][\\w$]*)*\\.${escapePattern(name)}\\b(?:\\(\\))?\`?`,
    'g',
  );
  let text = symbol.sentence
    .replace(mention, ' ')
    .replace(/[A-Za-z_$][\w$]*/g, (word) => (names.has(word.toLowerCase()) ? ' ' : word));
  const hyphenated = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  if (hyphenated.includes('-')) {
    text = text.replace(new RegExp(`(?<![\\w-])${escapePattern(hyphenated)}(?![\\w-])`, 'gi'), ' ');
  }
  return splitIdentifiers(text)
    .replace(/`|"|'(?!s)|\(\s*\)/g, ' ')
    .replace(/\s+([.,;:])/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * The document of a symbol, a title: `fs promises read File : path string Promise Buffer`.
 * @param maxSignatureLength longer signatures are cut, in characters
 */
export function symbolTitle(symbol: ApiSymbol, maxSignatureLength = 400): string {
  const name = splitIdentifiers(symbol.qualifiedName.replaceAll('.', ' '));
  const signature = splitIdentifiers(symbol.signature.slice(0, maxSignatureLength))
    .replace(/[^A-Za-z0-9 ]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return signature === '' ? name : `${name} : ${signature}`;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
