/** The verdict of today, from a line of results: figures of the uncased backbone in the calibration study, and changes of them. */
import { expect, it } from 'vitest';
import type { ResultLine } from '../result-line.ts';
import { foreseenOf } from './foreseen-of.ts';

const metrics = {
  'head activeDims': 7646,
  'head zeroTexts': 0,
  'head activeShare': 0.467,
  'head flops': 2803,
  'head meanWeight': 0.75,
  'head scoreSpread': 3691,
  'head cosine': 0.49,
  'head infoNce': 3500,
  vocabulary: 16384,
};

function line(changes: Partial<Record<keyof typeof metrics, number>> = {}, maxSteps = 200): ResultLine {
  const resolved = { learningRate: 1e-4, maxSteps, batchSize: 32, losses: [{ name: 'info-nce' }], temperature: 1 };
  return { metrics: { ...metrics, ...changes }, resolved } as unknown as ResultLine;
}

it('depends on the head, and on how far the run can move it', () => {
  expect(foreseenOf(line())).toBe(false);
  expect(foreseenOf(line({ 'head flops': 6000 }))).toBe(true);
  expect(foreseenOf(line({}, 150))).toBe(true);
});

it('knows nothing of a run without the figures', () => {
  expect(foreseenOf({ metrics: { vocabulary: 100 }, resolved: {} } as unknown as ResultLine)).toBeUndefined();
  // As long as its data: no maxSteps.
  expect(foreseenOf(line({}, Number.NaN))).toBeUndefined();
  const { 'head infoNce': _infoNce, ...others } = metrics;
  expect(foreseenOf({ ...line(), metrics: { ...others, 'head activeDims': 62, 'head flops': 2000 } })).toBe(true);
});
