import { describe, expect, it } from 'vitest';
import { closest } from './closest.ts';

describe('closest', () => {
  const known = ['encode', 'index', 'search', 'measure', 'maxActiveDims'];
  it.each([
    ['serach', 'search'],
    ['mesure', 'measure'],
    ['max-active-dim', 'maxActiveDims'],
    ['INDEX', 'index'],
    ['indx', 'index'],
  ])('finds %s → %s', (typed, wanted) => {
    expect(closest(typed, known)).toBe(wanted);
  });

  it('keeps silent when nothing is near', () => {
    expect(closest('pretrain', known)).toBeUndefined();
    expect(closest('x', known)).toBeUndefined();
    expect(closest('search', [])).toBeUndefined();
  });
});
