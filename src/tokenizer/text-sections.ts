/** Cuts a text at added tokens, as the library does it, and says where the parts are. */
import type { Section } from './placed-pieces.ts';

/** The library's splitter: parts that together are the text. */
export interface Splitter {
  split(text: string): readonly string[];
}

/** What of an added token matters here. */
interface AddedToken {
  /** Takes white space before it with it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** A function from texts to their sections; those that are empty are left out. */
export function sectionCutter(
  splitter: Splitter,
  added: ReadonlyMap<string, AddedToken>,
): (text: string) => readonly Section[] {
  return (text) => {
    const parts = splitter.split(text);
    if (parts.length === 1 && !added.has(text)) return [{ start: 0, end: text.length, token: undefined }];
    const sections: Section[] = [];
    let at = 0;
    for (const [i, part] of parts.entries()) {
      const isToken = added.has(part);
      const before = added.get(parts[i - 1] ?? '');
      const after = added.get(parts[i + 1] ?? '');
      const kept = isToken || !before?.rstrip ? part : part.trimStart();
      const start = at + part.length - kept.length;
      const end = start + (isToken || !after?.lstrip ? kept : kept.trimEnd()).length;
      at += part.length;
      if (end > start) sections.push({ start, end, token: isToken ? part : undefined });
    }
    return sections;
  };
}
