import { expect, test } from 'vitest';
import { z } from 'zod';
import { schemaComplaint } from './schema-complaint.ts';

const share = z.number().min(0).max(1);
const cases: readonly (readonly [string, z.ZodType, unknown, string])[] = [
  ['a bound', z.object({ rate: share }), { rate: 3 }, 'rate: expected at most 1, got 3'],
  ['an open bound', z.object({ rate: z.number().positive() }), { rate: 0 }, 'rate: expected more than 0, got 0'],
  ['another open bound', z.object({ rate: z.number().lt(1) }), { rate: 1 }, 'rate: expected less than 1, got 1'],
  ['a fraction', z.object({ steps: z.int() }), { steps: 1.5 }, 'steps: expected a whole number, got 1.5'],
  ['text', z.object({ rate: share }), { rate: 'much' }, 'rate: expected a number, got "much"'],
  ['no number', z.object({ rate: share }), { rate: Number.NaN }, 'rate: expected a number, got NaN'],
  ['an infinite number', z.object({ rate: share }), { rate: Infinity }, 'rate: expected a number, got Infinity'],
  ['nothing', z.object({ a: z.object({ b: share }) }), { a: {} }, 'a.b: expected a number, but nothing is there'],
  ['a word', z.object({ mode: z.enum(['stop', 'warn']) }), { mode: 'x' }, 'mode: expected stop or warn, got "x"'],
  [
    'an empty text',
    z.object({ name: z.string().min(1) }),
    { name: '' },
    'name: expected something that is not empty, got ""',
  ],
  [
    'a short list',
    z.object({ list: z.array(share).min(2) }),
    { list: [1] },
    'list: expected at least 2 entries, got [1]',
  ],
  [
    'a long text',
    z.object({ name: z.string().max(3) }),
    { name: 'abcd' },
    'name: expected at most 3 characters, got "abcd"',
  ],
  ['a list', z.object({ list: z.array(share) }), { list: 1 }, 'list: expected a list, got 1'],
  ['an entry of a list', z.object({ list: z.array(share) }), { list: [0, -1] }, 'list.1: expected at least 0, got -1'],
  ['a mapping', z.object({ map: z.record(z.string(), share) }), { map: [] }, 'map: expected a mapping, got []'],
  ['a multiple', z.object({ width: z.int().multipleOf(8) }), { width: 9 }, 'width: expected a multiple of 8, got 9'],
  ['an unknown key', z.strictObject({}), { raet: 1 }, 'the recipe: there is no "raet" here'],
  ['all of it', z.object({}), 'x', 'the recipe: expected a mapping, got "x"'],
  [
    'a rule of its own',
    z.object({ n: z.int().refine((n) => n % 2 === 0, 'expected an even number') }),
    { n: 3 },
    'n: expected an even number, got 3',
  ],
  [
    'a message of its own',
    z.object({ is_decoder: z.literal(false, 'this is no masked language model') }),
    { is_decoder: true },
    'is_decoder: this is no masked language model, got true',
  ],
  [
    'one of two forms',
    z.object({ k: z.union([z.enum(['auto', 'off']), z.array(z.int())]) }),
    { k: 'on' },
    'k: expected auto or off, or expected a list, got "on"',
  ],
  [
    'one of several mappings',
    z.object({
      loss: z.discriminatedUnion('name', [z.object({ name: z.literal('a') }), z.object({ name: z.literal('b') })]),
    }),
    { loss: { name: 'c' } },
    'loss.name: expected a or b, got "c"',
  ],
];

test.each(cases)('%s', (_title, schema, value, expected) => {
  expect(schemaComplaint(schema.safeParse(value).error!, value, 'the recipe')).toBe(expected);
});

test('shows the beginning of a long value', () => {
  const value = { rate: 'x'.repeat(1000) };
  const { error } = z.object({ rate: share }).safeParse(value);
  expect(schemaComplaint(error!, value)).toMatch(/^rate: expected a number, got "x{98}…$/);
});
