/** An oracle for the tests of this folder: the tags of a page or drawing that are not closed in order. */

const withoutEnd: ReadonlySet<string> = new Set(['!doctype', 'br', 'col', 'hr', 'img', 'input', 'meta']);

/** Names of tags that do not fit; empty for well-formed markup. */
export function unbalancedTags(markup: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  const outside = markup.replace(/<(!?\/?)([a-z][\w-]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*>/gi, (_tag, slash, name) => {
    const tag = `${slash === '!' ? '!' : ''}${name}`.toLowerCase();
    if (slash === '/') {
      if (open.pop() !== tag) wrong.push(`/${tag}`);
    } else if (!withoutEnd.has(tag)) open.push(tag);
    return '';
  });
  const stray = /[<>]|&(?!(?:amp|lt|gt|quot|#39);)/.exec(outside);
  if (stray) wrong.push(outside.slice(Math.max(0, stray.index - 20), stray.index + 20));
  return [...wrong, ...open];
}
