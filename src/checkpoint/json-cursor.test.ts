import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LexrayError } from '../util/errors.ts';
import { JsonCursor } from './json-cursor.ts';

const skip = (text: string): void => {
  const json = new JsonCursor(text, 'test');
  json.skip();
  json.end();
};

describe('JsonCursor', () => {
  it('accepts what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 2 }), (value, indent) => {
        skip(JSON.stringify(value, null, indent));
      }),
    );
  });

  it('accepts no text that JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '.5',
      'e3',
      'true',
      'nul',
      ' ',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        const text = parts.join('');
        let accepted = true;
        try {
          skip(text);
        } catch (error) {
          expect(error).toBeInstanceOf(LexrayError);
          accepted = false;
        }
        if (accepted) JSON.parse(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads strings with escapes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(new JsonCursor(JSON.stringify(text), 'test').string()).toBe(text);
      }),
    );
  });

  it.each([
    ['{"a":1,"a":2}', 'the name "a" occurs twice'],
    ['{"a":1,"\\u0061":2}', 'the name "a" occurs twice'],
    ['{"x":{"b":1,"b":1}}', 'the name "b" occurs twice'],
    ['['.repeat(1000), 'nested deeper'],
    ['{"a":1} x', 'expected the end'],
    ['"abc', 'does not end'],
    ['"a\nb"', 'control character'],
    ['', 'expected a value'],
  ])('refuses %j', (text, message) => {
    expect(() => skip(text)).toThrow(message);
  });

  it.each(['1.5', '1e3', '-', '01', '9007199254740992', '"1"', 'true', '1'.repeat(100)])(
    'takes %s for no integer',
    (text) => {
      expect(() => {
        const json = new JsonCursor(text, 'test');
        json.integer();
        json.end();
      }).toThrow(LexrayError);
    },
  );
});
