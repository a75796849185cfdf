import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { element, escapeMarkup, render, short, trusted } from './markup.ts';
import { unbalancedTags } from './unbalanced-tags.suite.ts';

/** What a browser makes of escaped text. */
const unescaped = (markup: string): string =>
  markup
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

describe('markup', () => {
  it('escapes any text so that it reads as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const markup = render(element('p', { title: text }, text));
        expect(unbalancedTags(markup)).toEqual([]);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are left out on purpose
        const plain = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
        expect(unescaped(markup)).toBe(`<p title="${plain}">${plain}</p>`);
      }),
    );
  });

  it('leaves out attributes without a value, and end tags of void elements', () => {
    expect(render(element('td', { class: undefined, hidden: true, lang: false, x: 1.005 }, 'a'))).toBe(
      '<td hidden x="1">a</td>',
    );
    expect(render(element('br'))).toBe('<br>');
  });

  it('takes nested children, and markup as it is', () => {
    expect(render([element('b', {}, 'x', ['<', undefined, 2]), trusted('<i></i>')])).toBe('<b>x&lt;2</b><i></i>');
  });

  it('writes coordinates with two decimals at most', () => {
    expect([1 / 3, 2, -0.001, 1e-9, 12.345].map(short)).toEqual(['0.33', '2', '0', '0', '12.35']);
  });

  it('escapes both quotes', () => {
    expect(escapeMarkup(`"'`)).toBe('&quot;&#39;');
  });
});

describe('the oracle of these tests', () => {
  it.each(['<p>a', '<p>a</b>', '<p>a < b</p>', '<p>a & b</p>', '<p title="a>b">a</p>', '<b><i></b></i>'])(
    'finds what is wrong in %s',
    (markup) => {
      expect(unbalancedTags(markup)).not.toEqual([]);
    },
  );
});
