import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unbalancedTags } from '../unbalanced-tags.suite.ts';
import { type Mark, type PlotOptions, plot } from './plot.ts';
import { textWidth } from './text-width.ts';

const draw = (options: PlotOptions): string => plot({ standalone: false, ...options }).markup;

/** Numbers of an attribute, in the order of the elements of a class or name. */
const attributes = (svg: string, pattern: RegExp, name: string): number[] =>
  [...svg.matchAll(pattern)].map(([tag]) => Number(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1]));

interface TextBox {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The boxes that the texts take, a little smaller than estimated. */
function textBoxes(svg: string): TextBox[] {
  return [...svg.matchAll(/<text([^>]*)>([^<]*)<\/text>/g)].map(([, attributeText = '', text = '']) => {
    const number = (name: string): number => Number(new RegExp(` ${name}="([^"]*)"`).exec(attributeText)?.[1]);
    const size = attributeText.includes('plot-title') ? 14 : 12;
    const width = textWidth(text, size) * 0.92;
    const anchor = /text-anchor="(\w+)"/.exec(attributeText)?.[1] ?? 'start';
    const left = number('x') - (anchor === 'end' ? width : anchor === 'middle' ? width / 2 : 0);
    return { text, left, right: left + width, top: number('y') - size * 0.72, bottom: number('y') + size * 0.1 };
  });
}

function overlaps(svg: string): string[] {
  const boxes = textBoxes(svg);
  return boxes.flatMap((a, i) =>
    boxes
      .slice(i + 1)
      .filter((b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      .map((b) => `${a.text} / ${b.text}`),
  );
}

const line = (ys: readonly number[], rest: Partial<Mark> = {}): Mark =>
  ({ type: 'line', points: ys.map((y, x) => ({ x, y })), ...rest }) as Mark;

describe('plot', () => {
  it('is the drawing that was looked at', async () => {
    const { markup } = plot({
      title: 'Loss',
      description: 'It falls.',
      width: 300,
      height: 160,
      x: { label: 'step' },
      y: { label: 'loss', zero: true },
      marks: [line([4, 2, 1], { label: 'a' }), line([1, 1, 0], { label: 'b', dashed: true } as Partial<Mark>)],
    });
    await expect(markup.replaceAll('><', '>\n<')).toMatchFileSnapshot('../../../test/snapshots/plot.svg');
  });

  it('is the same text each time, and well-formed, with its style or without', () => {
    const options: PlotOptions = { title: 'a & <b>', description: '"c"', marks: [line([1, 2], { label: '<i>' })] };
    expect(plot(options)).toEqual(plot(options));
    expect(unbalancedTags(plot(options).markup)).toEqual([]);
    expect(plot(options).markup).toContain('<style>');
    expect(draw(options)).not.toContain('<style>');
    expect(draw(options)).toContain('<title>a &amp; &lt;b&gt;</title><desc>&quot;c&quot;</desc>');
  });

  it('makes bars as high as their values, from zero', () => {
    const svg = draw({
      title: 't',
      marks: [
        {
          type: 'bars',
          bars: [
            { category: 'a', value: 1 },
            { category: 'b', value: 2, low: 1.5, high: 2.5, text: 'two' },
            { category: 'c', value: -1 },
          ],
        },
      ],
    });
    const [a = 0, b = 0, c = 0] = attributes(svg, /<rect[^>]*>/g, 'height');
    expect(b / a).toBeCloseTo(2, 2);
    expect(c).toBeCloseTo(a, 1);
    const [ya = 0, , yc = 0] = attributes(svg, /<rect[^>]*>/g, 'y');
    expect(ya + a).toBeCloseTo(yc, 1);
    expect(svg).toContain('>two</text>');
    expect(svg.match(/plot-error/g)).toHaveLength(1);
  });

  it('puts bars of several marks side by side', () => {
    const bars = (label: string): Mark => ({ type: 'bars', label, bars: [{ category: 'a', value: 1 }] });
    const svg = draw({ title: 't', marks: [bars('x'), bars('y')] });
    const rects = /<rect[^>]*height="(?!10")[^>]*>/g;
    const [first = 0, second = 0] = attributes(svg, rects, 'x');
    const [width = 0] = attributes(svg, rects, 'width');
    expect(first + width).toBeLessThan(second);
  });

  it('places points on a logarithmic axis by their ratios', () => {
    const svg = draw({
      title: 't',
      x: { scale: 'log' },
      marks: [{ type: 'points', points: [1, 10, 100, 0, -1].map((x) => ({ x, y: 1 })) }],
    });
    const [a = 0, b = 0, c = 0, ...others] = attributes(svg, /<circle[^>]*>/g, 'cx');
    expect(b - a).toBeCloseTo(c - b, 1);
    expect(others).toEqual([]);
  });

  it('breaks lines at what is not finite', () => {
    const path = /plot-line[^>]* d="([^"]*)"/.exec(draw({ title: 't', marks: [line([1, 2, Number.NaN, 3, 4])] }))?.[1];
    expect(path?.match(/M/g)).toHaveLength(2);
  });

  it('draws a band where there are intervals', () => {
    const points = [0, 1, 2].map((x) => ({ x, y: x, low: x - 1, high: x + 1 }));
    const svg = draw({ title: 't', marks: [{ type: 'line', points }] });
    expect(svg.match(/plot-band/g)).toHaveLength(1);
    expect(draw({ title: 't', marks: [line([1, 2])] })).not.toContain('plot-band');
  });

  it('thins long lines, but keeps their peaks', () => {
    const ys = Array.from({ length: 50_000 }, (_, i) => (i === 31_234 ? 50 : Math.sin(i / 1000)));
    const svg = draw({ title: 't', marks: [line(ys)] });
    expect(svg.length).toBeLessThan(80_000);
    const path = /plot-line[^>]* d="M([^"]*)"/.exec(svg)?.[1] ?? '';
    const heights = path.split('L').map((place) => Number(place.split(' ')[1]));
    const grid = attributes(svg, /<line class="plot-grid"[^>]*>/g, 'y1');
    expect(Math.min(...heights)).toBeCloseTo(Math.min(...grid), 1);
  });

  it('cuts off what is outside a given domain', () => {
    expect(draw({ title: 't', y: { domain: [0, 1] }, marks: [line([0, 5])] })).toMatch(/<svg x="[^>]*viewBox/);
    expect(draw({ title: 't', marks: [line([0, 5])] }).match(/<svg/g)).toHaveLength(1);
  });

  it('names several series in a legend, and colours rules apart from them', () => {
    const svg = draw({
      title: 't',
      marks: [
        { type: 'rule', axis: 'y', at: 1, text: 'target' },
        line([1, 2], { label: 'first' }),
        line([2, 1], { label: 'second' }),
      ],
    });
    expect(svg).toContain('>first</text>');
    expect(svg).toMatch(/plot-line" stroke="var\(--plot-1\)"/);
    expect(svg).toMatch(/plot-line" stroke="var\(--plot-2\)"/);
    expect(svg).not.toContain('--plot-3');
    expect(draw({ title: 't', marks: [line([1, 2], { label: 'only' })] })).not.toContain('>only</text>');
  });

  it('says when there is nothing to draw', () => {
    expect(draw({ title: 't', marks: [] })).toContain('>no data</text>');
    expect(draw({ title: 't', marks: [line([Number.NaN])] })).toContain('>no data</text>');
  });

  it('has no overlapping texts, and none outside, whatever the values', () => {
    const value = fc.oneof(
      fc.double({ min: -1e7, max: 1e7, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 100_000 }),
      fc.constant(Number.NaN),
    );
    const label = fc.constantFrom('loss', 'active dimensions of documents', 'λq · queries', 'WWWWWWWWWW');
    fc.assert(
      fc.property(
        fc.array(fc.record({ label, ys: fc.array(value, { maxLength: 8 }) }), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('linear' as const, 'log' as const),
        fc.constantFrom('linear' as const, 'log' as const),
        fc.boolean(),
        (series, xScale, yScale, hasTop) => {
          const svg = draw({
            title: 'A title that says what is to be seen, long enough to be broken into two lines or even more lines',
            x: { label: 'step', scale: xScale },
            y: { label: 'value', scale: yScale },
            marks: series.map(({ label: name, ys }) => line(ys, { label: name })),
            ...(hasTop ? { top: { label: 'seconds', ticks: [0, 1, 1.01, 5].map((at) => ({ at, text: '100' })) } } : {}),
          });
          expect(svg).not.toMatch(/NaN|Infinity|undefined/);
          expect(unbalancedTags(svg)).toEqual([]);
          expect(overlaps(svg)).toEqual([]);
          for (const box of textBoxes(svg)) {
            expect(box.left).toBeGreaterThan(-2);
            expect(box.right).toBeLessThan(602);
            expect(box.bottom).toBeLessThan(321);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('has no overlapping names of categories', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.constantFrom('Lexray', 'BM25', 'BM25 stemmed', 'Lexray + BM25 stemmed', 'SPLADE v3', 'Expanded'),
          {
            minLength: 1,
          },
        ),
        (names) => {
          const svg = draw({
            title: 't',
            x: { label: 'system' },
            y: { label: 'RR@10' },
            marks: [{ type: 'bars', bars: names.map((category, i) => ({ category, value: i / 10, text: '0.123' })) }],
          });
          expect(overlaps(svg)).toEqual([]);
        },
      ),
    );
  });
});
