import { expect, test } from 'vitest';
import { UniqueIds } from './unique-ids.ts';

test('counts ids and refuses one that comes again', () => {
  const ids = new UniqueIds();
  ids.add('a', 'docid', 'file:1');
  ids.add('b', 'docid', 'file:2');
  expect([ids.size, ids.has('a'), ids.has('c')]).toEqual([2, true, false]);
  expect(() => ids.add('a', 'docid', 'file:3')).toThrow('the docid "a" occurs twice');
  expect(ids.size).toBe(2);
});
