/**
 * The prose of doc comments: TSDoc and Markdown markup is taken away, and the first sentence is found.
 * A sentence ends at `.`, `!` or `?` before a capital, digit or opening mark, or at the end, but not after an
 * abbreviation or a single capital letter.
 */
import type { SyntaxNode, TypeScriptModule } from './typescript-module.ts';

/**
 * The text of a doc comment before its first block tag. A link gives its label, or its target without one.
 * @param comment the `comment` of a JSDoc node
 */
export function commentText(comment: string | readonly SyntaxNode[] | undefined, typescript: TypeScriptModule): string {
  if (comment === undefined) return '';
  if (typeof comment === 'string') return comment;
  return comment.map((part) => partText(part, typescript)).join('');
}

function partText(part: SyntaxNode, typescript: TypeScriptModule): string {
  const text = part.text ?? '';
  if (part.kind === typescript.SyntaxKind.JSDocText) return text;
  // In `{@link https://host | label}` the parser takes `https` for the name and leaves the rest as text.
  const address = /^:\/\/\S*/.exec(text);
  const target = address || part.name === undefined ? '' : entityName(part.name, typescript);
  const label = (address ? text.slice(address[0].length) : text).replace(/^\s*\|/, '').trim();
  const calls = /^\(\)/.exec(label);
  if (calls) return target + label;
  return label === '' ? target : label;
}

function entityName(node: SyntaxNode, typescript: TypeScriptModule): string {
  if (node.kind === typescript.SyntaxKind.Identifier) return node.text ?? '';
  if (node.left && node.right) return `${entityName(node.left, typescript)}.${node.right.text ?? ''}`;
  return '';
}

/** Takes code fences, links, HTML tags, emphasis and addresses out of Markdown text and joins its lines. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/```[\s\S]*?```/g, ' ')
    .replace(/\[MDN Reference\]\([^)]*\)/g, ' ')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<\/?[a-z][^>]*>/gi, ' ')
    .replace(/\*\*|__/g, '')
    .replace(/https?:\/\/\S+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

const sentenceEnd = /[.!?](?=\s+["'`([]*[A-Z0-9`]|\s*$)/g;
const abbreviation = /(?:\b(?:e\.g|i\.e|etc|vs|approx|cf)|\b[A-Z])\.$/;

/** The first sentence of a plain text; all of it when it has no end mark. */
export function firstSentence(text: string): string {
  for (const match of text.matchAll(sentenceEnd)) {
    const head = text.slice(0, match.index + 1);
    if (!abbreviation.test(head)) return head;
  }
  return text;
}
