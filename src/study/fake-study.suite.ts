/** A study whose runs cost nothing, for tests of what runs, keeps and analyses studies. */
import { Random } from '../util/random.ts';
import type { CellResult } from './result-line.ts';
import type { RunCell } from './runner.ts';

/** Queries of every run. */
export const fakeQids: readonly string[] = Array.from({ length: 12 }, (_, i) => `q${i}`);

/** The design, as text. */
export const fakeDesign = `
name: fake
fixed: { base: 0.3 }
factors:
  gain: [0, 0.2]
  size: [small, large]
seeds: [1, 2, 3, 4, 5, 6, 7]
contrasts:
  - { name: gain helps, measure: RR@10, plus: { gain: 0.2 }, minus: { gain: 0 } }
  - { name: size hurts, measure: RR@10, plus: { size: large, gain: 0 }, minus: { size: small, gain: 0 }, claim: negative, family: other }
`;

/** A run whose scores follow from its settings and seed; queries stand in an order that depends on the seed. */
export const fakeRun: RunCell = async (settings, { seed }): Promise<CellResult> => {
  const random = new Random(seed);
  const order = [...fakeQids].sort(() => random.uniform() - 0.5);
  const score = (qid: string): number =>
    Number(settings.base) +
    Number(settings.gain) +
    0.001 * Number(qid.slice(1)) +
    0.01 * Math.sin(seed * 7 + Number(qid.slice(1)));
  return {
    metrics: { loss: 1 / seed },
    scores: { pairs: { qids: order, measures: { 'RR@10': order.map(score) } } },
  };
};
