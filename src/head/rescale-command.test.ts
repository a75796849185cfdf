import { expect, it } from 'vitest';
import { rescaleCommand } from './rescale-command.ts';

it.each([
  ['models/lexray-tiny', 'models/lexray-tiny'],
  ['org/name@v1.0', 'org/name@v1.0'],
  ['my model;x', "'my model;x'"],
  ["it's", "'it'\\''s'"],
  ['$(rm)', "'$(rm)'"],
])('names %s so that a shell takes it for one word', (model, word) => {
  const correction = { arm: 'D', factor: 2.123456789, shift: -1.5 } as const;
  expect(rescaleCommand(model, 'OUT', correction)).toBe(
    `lexray rescale ${word} -o OUT --arm D --factor 2.12346 --shift -1.5`,
  );
});
