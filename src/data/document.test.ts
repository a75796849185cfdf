import { expect, test } from 'vitest';
import { joinTitle } from './document.ts';

test.each([
  ['Title', 'text', ' ', 'Title text'],
  ['', 'text', ' ', 'text'],
  ['Title', '', ' ', 'Title'],
  ['', '', ' ', ''],
  ['Title', 'text', '. ', 'Title. text'],
])('joins %j and %j', (title, text, separator, joined) => {
  expect(joinTitle({ title, text }, separator)).toBe(joined);
});

test('parts title and text by a blank', () => {
  expect(joinTitle({ title: 'a', text: 'b' })).toBe('a b');
});
