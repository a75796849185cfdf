/** `lexray explain MODEL --query TEXT --document TEXT`: the terms of texts, and which of them make the score. */
import { z } from 'zod';
import { LexrayError } from '../../util/errors.ts';
import { formatCount, formatFigure, formatTable } from '../format.ts';
import { loadEncoder } from '../load-encoder.ts';
import { modelDescription } from '../model-folder.ts';
import { integer, optionalInteger, optionalText, text } from '../option.ts';
import { defineVerb, type Verb } from '../verb.ts';

const side = z.strictObject({
  text: z.string(),
  activeDims: z.int(),
  /** The heaviest, heaviest first. */
  terms: z.array(z.strictObject({ term: z.string(), weight: z.number() })),
});
type Side = z.infer<typeof side>;

const matches = z.strictObject({
  score: z.number(),
  /** Terms that both have. */
  shared: z.int(),
  /** Those of them that give the score most, the product of both weights; the largest first. */
  terms: z.array(z.strictObject({ term: z.string(), query: z.number(), document: z.number(), product: z.number() })),
});
type Matches = z.infer<typeof matches>;

export const explainVerb: Verb = defineVerb({
  name: 'explain',
  group: 'Vectors and search:',
  summary: 'show the terms of a query and of a document, and what their score is made of',
  arguments: { model: text(modelDescription, { placeholder: 'MODEL' }) },
  options: {
    query: optionalText('a query'),
    document: optionalText('a document'),
    top: integer('terms that are shown', { default: 20, min: 1 }),
    maxLength: optionalInteger('most tokens of a text (default: what the model records)', { min: 1 }),
  },
  examples: [
    'lexray explain my-splade --query "heart attack"',
    'lexray explain my-splade --query "heart attack" --document "Myocardial infarction, its causes and treatment"',
  ],
  result: z.strictObject({
    model: z.string(),
    query: side.optional(),
    document: side.optional(),
    /** Where both are given. */
    match: matches.optional(),
  }),
  async run({ model, query, document, top, maxLength }, context) {
    if (query === undefined && document === undefined) {
      throw new LexrayError('USAGE', 'there is nothing to explain', { cure: 'give --query, --document or both' });
    }
    const kinds = [
      ...(query === undefined ? [] : ['query' as const]),
      ...(document === undefined ? [] : ['document' as const]),
    ];
    const encoder = await loadEncoder(model, maxLength, context, kinds);
    try {
      const weights = async (kind: 'query' | 'document', of: string): Promise<Map<number, number>> => {
        const { indices, values } = await encoder.encodeOne(of, { kind });
        return new Map(Array.from(indices, (term, i) => [term, values[i]!]));
      };
      const name = (dimension: number): string => encoder.term(dimension) ?? `#${dimension}`;
      const heaviest = (of: string, vector: ReadonlyMap<number, number>): Side => ({
        text: of,
        activeDims: vector.size,
        terms: [...vector]
          .sort(([, a], [, b]) => b - a)
          .slice(0, top)
          .map(([dimension, weight]) => ({ term: name(dimension), weight })),
      });
      const queryVector = query === undefined ? undefined : await weights('query', query);
      const documentVector = document === undefined ? undefined : await weights('document', document);
      const data = {
        model,
        ...(queryVector && { query: heaviest(query!, queryVector) }),
        ...(documentVector && { document: heaviest(document!, documentVector) }),
        ...(queryVector && documentVector && { match: matchOf(queryVector, documentVector, name, top) }),
      };
      return { data, text: describe(data) };
    } finally {
      await encoder.dispose();
    }
  },
});

function matchOf(
  query: ReadonlyMap<number, number>,
  document: ReadonlyMap<number, number>,
  name: (dimension: number) => string,
  top: number,
): Matches {
  const shared = [...query].flatMap(([dimension, weight]) => {
    const other = document.get(dimension);
    if (other === undefined) return [];
    return [{ term: name(dimension), query: weight, document: other, product: weight * other }];
  });
  shared.sort((a, b) => b.product - a.product);
  const score = shared.reduce((sum, { product }) => sum + product, 0);
  return { score, shared: shared.length, terms: shared.slice(0, top) };
}

function describe(data: { query?: Side; document?: Side; match?: Matches }): string {
  const lines: string[] = [];
  for (const kind of ['query', 'document'] as const) {
    const found = data[kind];
    if (found === undefined) continue;
    lines.push(
      `${kind}: ${formatCount(found.activeDims)} active dimensions`,
      `  ${found.terms.map(({ term, weight }) => `${term} ${formatFigure(weight)}`).join(', ') || '(none)'}`,
    );
  }
  if (data.match !== undefined) {
    const { score, shared, terms } = data.match;
    lines.push(
      `score ${formatFigure(score)} from ${formatCount(shared)} terms that both have`,
      formatTable([
        ['term', 'query', 'document', 'product', 'of the score'],
        ...terms.map(({ term, query, document, product }) => [
          term,
          ...[query, document, product].map(formatFigure),
          `${((100 * product) / score).toFixed(1)} %`,
        ]),
      ]),
    );
  }
  return lines.join('\n');
}
