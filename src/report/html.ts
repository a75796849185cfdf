/**
 * Reports as one HTML file: style and figures are inside, and the content security policy lets nothing be fetched, so that
 * the file can be read anywhere, offline, for years. A page has no script, or one of a few lines that the policy names by
 * its hash; without it everything is still there to read. Every text is escaped (`markup.ts`).
 */
import { createHash } from 'node:crypto';
import { type Child, element, type Markup, render, trusted } from './markup.ts';
import { plotStyle } from './plot/theme.ts';
import type { Cell, Table } from './table.ts';

/** A page. */
export interface Page {
  readonly title: string;
  /** What the page says, in a sentence or two, below the title. */
  readonly lead?: string;
  /** Made by {@link section}. */
  readonly sections: readonly Section[];
  /** Small print: what made the page, and when. */
  readonly footer?: string;
  /** Style of its own, beside that of all pages. */
  readonly style?: string;
  /** A script of its own, run when all is there. */
  readonly script?: string;
}

/** A part of a page with a heading, listed in the contents. */
export interface Section {
  readonly heading: string;
  readonly content: Child;
}

const contentSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const pageStyle = `
:root{color-scheme:light dark;--ink:#1f2328;--soft:#57606a;--line:#dde2e7;--paper:#fff;--shade:#f4f6f8;--link:#0067a8}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa5b0;--line:#343b44;--paper:#0d1117;--shade:#171d25;--link:#58b0ea}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
main,header,footer{max-width:68rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.5rem;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{max-width:46rem;margin:.5rem 0}
.lead{font-size:1.1rem;max-width:50rem}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:1rem 0 0;padding:0;font-size:.9rem}
a{color:var(--link)}
.scroll{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
caption{caption-side:top;text-align:left;color:var(--soft);padding-bottom:.35rem}
th,td{padding:.35rem .75rem .35rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th:last-child,td:last-child{padding-right:0}
thead th{border-bottom:2px solid var(--line);vertical-align:bottom}
tbody th{font-weight:400;min-width:8rem}
.number{text-align:right;white-space:nowrap}
.note{display:block;color:var(--soft);font-size:.75rem}
figure{margin:1rem 0}
figcaption{color:var(--soft);font-size:.875rem;max-width:600px;margin-top:.25rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem 2rem;align-items:start}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;font-size:.9rem;margin:1rem 0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.terms{line-height:2}
.term{background:var(--shade);border:1px solid var(--line);border-radius:.25rem;padding:.05rem .35rem;margin-right:.25rem;white-space:nowrap}
.term.new{border-color:var(--link)}
.hit{font-weight:600}
ol.ranking{margin:0;padding-left:1.4rem;min-width:10rem}
code{font:.875em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:.8rem;padding-top:2rem;padding-bottom:2rem}
@media (max-width:40rem){body{font-size:15px}dl{grid-template-columns:1fr}dt{margin-top:.35rem}}
@media print{nav{display:none}h2{break-after:avoid}figure,tr{break-inside:avoid}}
`.trim();

/** The whole file. */
export function renderPage(page: Page): string {
  const anchors = sectionAnchors(page.sections);
  const head = element(
    'head',
    {},
    element('meta', { charset: 'utf-8' }),
    element('meta', { 'http-equiv': 'Content-Security-Policy', content: policyOf(page.script) }),
    element('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
    element('title', {}, page.title),
    element('style', {}, trusted([pageStyle, plotStyle, ...(page.style === undefined ? [] : [page.style])].join('\n'))),
  );
  const contents = element(
    'nav',
    { 'aria-label': 'Contents' },
    element(
      'ul',
      {},
      page.sections.map(({ heading }, i) => element('li', {}, element('a', { href: `#${anchors[i]}` }, heading))),
    ),
  );
  const body = element(
    'body',
    {},
    element(
      'header',
      {},
      element('h1', {}, page.title),
      page.lead === undefined ? undefined : element('p', { class: 'lead' }, page.lead),
      page.sections.length > 1 ? contents : undefined,
    ),
    element(
      'main',
      {},
      page.sections.map(({ heading, content }, i) =>
        element('section', { id: anchors[i] }, element('h2', {}, heading), content),
      ),
    ),
    page.footer === undefined ? undefined : element('footer', {}, element('p', {}, page.footer)),
    page.script === undefined ? undefined : element('script', {}, trusted(page.script)),
  );
  return `<!doctype html>\n${render(element('html', { lang: 'en' }, head, '\n', body))}\n`;
}

/** The policy of a page: with a script, that script and no other may run. */
function policyOf(script: string | undefined): string {
  if (script === undefined) return contentSecurityPolicy;
  const hash = createHash('sha256').update(script).digest('base64');
  return `${contentSecurityPolicy}; script-src 'sha256-${hash}'`;
}

/** A part of a page. */
export function section(heading: string, ...content: readonly Child[]): Section {
  return { heading, content };
}

/** A heading inside a section. */
export function subheading(text: string): Markup {
  return element('h3', {}, text);
}

/** A paragraph; children that are markup stay markup. */
export function paragraph(...children: readonly Child[]): Markup {
  return element('p', {}, children);
}

/** A table. The first cell of a row is its heading. Wide tables scroll by themselves. */
export function htmlTable(table: Table): Markup {
  const heading = (label: string, i: number, scope: 'col' | 'row'): Markup =>
    element('th', { scope, class: numeric(table, i) }, label);
  return element(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': table.caption ?? 'table' },
    element(
      'table',
      {},
      table.caption === undefined ? undefined : element('caption', {}, table.caption),
      element(
        'thead',
        {},
        element(
          'tr',
          {},
          table.columns.map(({ label }, i) => heading(label, i, 'col')),
        ),
      ),
      element(
        'tbody',
        {},
        table.rows.map((row) =>
          element(
            'tr',
            {},
            table.columns.map((_column, i) => {
              const attributes = { class: numeric(table, i), ...(i === 0 ? { scope: 'row' } : {}) };
              return element(i === 0 ? 'th' : 'td', attributes, cellContent(row[i] ?? ''));
            }),
          ),
        ),
      ),
    ),
  );
}

/** A figure with its caption. */
export function figure(drawing: Markup, caption?: string): Markup {
  return element('figure', {}, drawing, caption === undefined ? undefined : element('figcaption', {}, caption));
}

/** Figures side by side where there is room. */
export function figures(...content: readonly Markup[]): Markup {
  return element('div', { class: 'figures' }, content);
}

/** Names and values below each other. */
export function definitions(entries: readonly (readonly [string, Child])[]): Markup {
  return element(
    'dl',
    {},
    entries.map(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  );
}

function numeric(table: Table, column: number): string | undefined {
  return table.columns[column]?.align === 'right' ? 'number' : undefined;
}

function cellContent(cell: Cell): Child {
  if (typeof cell === 'string') return cell;
  const text = cell.strong ? element('strong', {}, cell.text) : cell.text;
  return cell.note === undefined ? text : [text, ' ', element('span', { class: 'note' }, cell.note)];
}

function sectionAnchors(sections: readonly Section[]): string[] {
  const taken = new Set<string>();
  return sections.map(({ heading }) => {
    const plain =
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}]+/gu, '-')
        .replace(/^-|-$/g, '') || 'section';
    let anchor = plain;
    for (let copy = 2; taken.has(anchor); copy++) anchor = `${plain}-${copy}`;
    taken.add(anchor);
    return anchor;
  });
}
