import { describe, expect, it } from 'vitest';
import { definitions, figure, figures, htmlTable, paragraph, renderPage, section, subheading } from './html.ts';
import { element, render, trusted } from './markup.ts';
import { unbalancedTags } from './unbalanced-tags.suite.ts';

describe('renderPage', () => {
  const html = renderPage({
    title: 'A <title>',
    lead: 'What it says & shows.',
    sections: [
      section('Results: all', paragraph('Text ', element('code', {}, 'x < y'), '.'), subheading('Below')),
      section('Results, all', figures(figure(trusted('<svg></svg>'), 'A caption'), figure(trusted('<svg></svg>')))),
      section('결과', definitions([['name', 'value']])),
      section('…'),
    ],
    footer: 'Made today.',
  });

  it('is well-formed, with one h1 and a heading for each section', () => {
    expect(unbalancedTags(html)).toEqual([]);
    expect(html.startsWith('<!doctype html>\n<html lang="en">')).toBe(true);
    expect(html.match(/<h1>/g)).toHaveLength(1);
    expect(html.match(/<h2>/g)).toHaveLength(4);
    expect(html).toContain('<title>A &lt;title&gt;</title>');
  });

  it('links each section by an anchor of its own', () => {
    const links = [...html.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]);
    const anchors = [...html.matchAll(/<section id="([^"]+)"/g)].map((match) => match[1]);
    expect(links).toEqual(['results-all', 'results-all-2', '결과', 'section']);
    expect(anchors).toEqual(links);
  });

  it('lets nothing be fetched', () => {
    expect(html).toContain(
      '<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;; img-src data:; base-uri &#39;none&#39;; form-action &#39;none&#39;">',
    );
    expect(html).not.toMatch(/https?:|<script|url\(/);
  });

  it('is the same each time', () => {
    expect(renderPage({ title: 'a', sections: [] })).toBe(renderPage({ title: 'a', sections: [] }));
  });
});

describe('htmlTable', () => {
  it('puts numbers to the right, notes beside them, and headings where they belong', () => {
    const markup = render(
      htmlTable({
        caption: 'Cost & "more"',
        columns: [{ label: 'System' }, { label: 'RR@10', align: 'right' }],
        rows: [['<b>', { text: '0.3', note: '[0.2, 0.4]', strong: true }], ['short row']],
      }),
    );
    expect(unbalancedTags(markup)).toEqual([]);
    expect(markup).toContain('<caption>Cost &amp; &quot;more&quot;</caption>');
    expect(markup).toContain('<th scope="col">System</th><th scope="col" class="number">RR@10</th>');
    expect(markup).toContain(
      '<th scope="row">&lt;b&gt;</th><td class="number"><strong>0.3</strong> <span class="note">[0.2, 0.4]</span></td>',
    );
    expect(markup).toContain('<th scope="row">short row</th><td class="number"></td>');
  });
});
