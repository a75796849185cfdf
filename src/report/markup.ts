/**
 * Elements of HTML and SVG as strings. Text and attribute values are escaped here and nowhere else; {@link Markup} is
 * a string that is known to be markup already, so that the two cannot be mixed up.
 */

/** Markup, ready to be put into a page. */
export interface Markup {
  readonly markup: string;
}

/** A child of an element: a string or number is text and gets escaped; nothing is left out. */
export type Child = Markup | string | number | undefined | readonly Child[];

/** Attributes by name; `undefined` and `false` are left out, `true` is an attribute without a value. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Elements of HTML that have no end tag. */
const voidElements: ReadonlySet<string> = new Set(['br', 'col', 'hr', 'img', 'input', 'meta']);

/** A text with the characters that mean something in markup replaced, and those that XML forbids left out. */
export function escapeMarkup(text: string): string {
  return (
    text
      .replace(/[&<>"']/g, (sign) => escapes[sign] ?? '')
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML does not allow
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
  );
}

/** Takes a string for markup. It must not hold text from outside. */
export function trusted(markup: string): Markup {
  return { markup };
}

/** An element: `element('td', { class: 'number' }, '0.5')`. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly Child[]): Markup {
  let open = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    open += value === true ? ` ${key}` : ` ${key}="${escapeMarkup(typeof value === 'number' ? short(value) : value)}"`;
  }
  if (voidElements.has(name)) return { markup: `${open}>` };
  return { markup: `${open}>${render(children)}</${name}>` };
}

/** The markup of children, one after the other. */
export function render(child: Child): string {
  if (child === undefined) return '';
  if (typeof child === 'string') return escapeMarkup(child);
  if (typeof child === 'number') return short(child);
  if ('markup' in child) return child.markup;
  return child.map(render).join('');
}

/** A coordinate or size: at most two decimals, so that the same drawing is the same text everywhere. */
export function short(value: number): string {
  const rounded = Math.round(value * 100) / 100;
  return Object.is(rounded, -0) ? '0' : String(rounded);
}
