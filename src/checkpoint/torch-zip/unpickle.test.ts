import { describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { operations } from './pickle-operations.ts';
import type { PickleValue } from './pickle-value.ts';
import { unpickle } from './unpickle.ts';

const { MARK, STOP, BINGET, BINPUT, EMPTY_DICT, EMPTY_LIST, APPEND, TUPLE, BININT1, NONE, REDUCE, SETITEM } =
  operations;

/** A pickle from codes and texts. */
function pickle(...parts: readonly (number | string)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))));
}
const run = (...parts: readonly (number | string)[]): PickleValue => unpickle(pickle(...parts), 'x.bin');
const text = (content: string): string => `\x8c${String.fromCharCode(content.length)}${content}`;

/** `text` has a byte above 127, so it is joined as latin1. */
const latin1 = (content: string): Uint8Array => Buffer.from(content, 'latin1');

describe('values', () => {
  it.each<[string, Uint8Array, unknown]>([
    ['int4', latin1('J\xfe\xff\xff\xff.'), -2],
    ['int2', latin1('M\x34\x12.'), 0x1234],
    ['a long', latin1('\x8a\x05\x00\x00\x00\x00\x01.'), 2 ** 32],
    ['a negative long', latin1('\x8a\x01\xff.'), -1],
    ['the empty long', latin1('\x8a\x00.'), 0],
    ['a double', latin1('G\x3f\xf8\x00\x00\x00\x00\x00\x00.'), 1.5],
    ['a short text', latin1(`${text('ab')}.`), 'ab'],
    ['a text', latin1('X\x02\x00\x00\x00\xc3\xa9.'), 'é'],
    ['a long text', latin1('\x8d\x02\x00\x00\x00\x00\x00\x00\x00ab.'), 'ab'],
    ['true', latin1('\x88.'), true],
    ['none', latin1('N.'), null],
  ])('%s', (_title, bytes, value) => {
    expect(unpickle(bytes, 'x.bin')).toBe(value);
  });

  it('a list that holds itself is a value like others', () => {
    const value = run(EMPTY_LIST, BINPUT, 0, BINGET, 0, APPEND, STOP) as { items: unknown[] };
    expect(value.items[0]).toBe(value);
  });

  it('nesting has no depth', () => {
    const depth = 100_000;
    const parts = Buffer.concat([Buffer.from(')'), Buffer.alloc(depth, 0x85), Buffer.from('.')]);
    expect(unpickle(parts, 'x.bin')).toMatchObject({ kind: 'tuple' });
  });
});

describe('what is refused', () => {
  it.each<[string, Uint8Array, RegExp]>([
    [
      'a function',
      pickle(MARK, 'cos\nsystem\n', STOP),
      /asks for "os.system", which no tensor needs; nothing of it was run/,
    ],
    ['a function of protocol 4', latin1(`${text('posix')}${text('system')}\x93.`), /asks for "posix.system"/],
    ['an attribute of an allowed name', pickle('ctorch._utils\n_rebuild_tensor_v2.__globals__\n', STOP), /asks for/],
    ['a name of every object', pickle('cconstructor\n\n', STOP), /asks for "constructor."/],
    ['a prototype', latin1(`${text('__proto__')}${text('x')}\x93.`), /asks for "__proto__.x"/],
    ['a call of a type', pickle('ctorch\nFloatStorage\n', ')', REDUCE, STOP), /torch.FloatStorage is called/],
    ['a call of a number', pickle(BININT1, 1, ')', REDUCE, STOP), /it calls a number/],
    ['an object', latin1(')\x81.'), /NEWOBJ \(0x81\)/],
    ['protocol 0', pickle('I1\n', STOP), /operation 0x49/],
    ['another protocol', latin1('\x80\x06N.'), /its protocol is 6/],
    ['a persistent id of another kind', pickle(MARK, TUPLE, 'Q', STOP), /does not name a storage/],
    ['a key that is an object', pickle(EMPTY_DICT, EMPTY_LIST, NONE, SETITEM, STOP), /a key is a list/],
    ['attributes of a tuple', pickle(')', NONE, 'b', STOP), /sets attributes of a tuple/],
    ['an integer of 200 bytes', pickle(Buffer.from([0x8a]).toString('latin1'), STOP), /./],
    ['an empty stack', pickle('0', STOP), /a mark is missing/],
    ['no value', pickle(STOP), /its stack is empty/],
    ['two values', pickle(NONE, NONE, STOP), /left over/],
    ['an open mark', pickle(MARK, NONE, STOP), /left over/],
    ['a memo that was never written', pickle(BINGET, 3, STOP), /recalls value 3/],
    ['no end', pickle(NONE), /ends too early/],
    ['a text longer than the file', latin1('X\xff\xff\xff\xffab.'), /ends too early/],
    ['a text longer than all memory', latin1('\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.'), /ends too early/],
    ['a text that is not UTF-8', latin1('U\x01\xff.'), /not UTF-8/],
    ['a name without end', pickle('c', 'a'.repeat(300), '\n'), /does not end/],
  ])('%s', (_title, bytes, message) => {
    expect(() => unpickle(bytes, 'x.bin')).toThrow(LexrayError);
    expect(() => unpickle(bytes, 'x.bin')).toThrow(message);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['operations', Buffer.concat([Buffer.alloc(4_000_000, 'N0'), Buffer.from('N.')]), /more than 2000000 operations/],
    ['values on the stack', Buffer.alloc(3_000_000, 'N'), /stack is deeper/],
    ['marks', Buffer.alloc(3_000_000, '('), /stack is deeper/],
    [
      'remembered values',
      Buffer.concat([
        Buffer.from('N'),
        ...Array.from({ length: 600_000 }, (_, i) => Buffer.from([0x72, i & 255, (i >> 8) & 255, i >> 16, 0])),
      ]),
      /remembers more than/,
    ],
  ])('too many %s', (_title, bytes, message) => {
    const start = performance.now();
    expect(() => unpickle(bytes, 'x.bin')).toThrow(message);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
