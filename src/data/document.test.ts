import { expect, test } from 'vitest';
import { joinTitle, parseDocument, parseQuery } from './document.ts';

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

test.each([
  ['a b', 'has white space'],
  ['a\n', 'has white space'],
  ['\ud83d', 'has half a surrogate pair'],
])('refuses the id %j', (_id, fault) => {
  expect(() => parseDocument({ _id, text: 'text' }, 'corpus.jsonl:1')).toThrow(
    `the docid ${JSON.stringify(_id)} ${fault}`,
  );
  expect(() => parseQuery({ _id, text: 'text' }, 'queries.jsonl:1')).toThrow(`the qid ${JSON.stringify(_id)} ${fault}`);
});

test.each(['1', 7, 'größe', '😀', 'a\u00a0b'])('takes the id %j', (_id) => {
  expect(parseDocument({ _id, text: 'text' }, 'corpus.jsonl:1').docid).toBe(String(_id));
});
