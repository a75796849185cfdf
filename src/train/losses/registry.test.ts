import { describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { findLoss, lossNames } from './registry.ts';

function failure(name: string, options?: unknown): LexrayError {
  try {
    findLoss(name, options);
  } catch (error) {
    expect(error).toBeInstanceOf(LexrayError);
    return error as LexrayError;
  }
  throw new Error('it did not fail');
}

describe('findLoss', () => {
  it('makes each loss without options', () => {
    for (const name of lossNames) {
      const parts = findLoss(name);
      expect(parts.length).toBeGreaterThan(0);
      expect(new Set(parts.map(({ loss }) => loss.name)).size).toBe(parts.length);
    }
  });

  it("makes SPLADE-v3's mix, with its weights or others", () => {
    const parts = (options?: object) =>
      findLoss('splade-v3', options).map(({ loss, weight }) => [loss.name, weight, loss.needsTeacher]);
    expect(parts()).toEqual([
      ['KL', 1, true],
      ['MarginMSE', 0.05, true],
    ]);
    expect(parts({ klWeight: 0.99, marginMseWeight: 0.1 })).toEqual([
      ['KL', 0.99, true],
      ['MarginMSE', 0.1, true],
    ]);
  });

  it('says which losses there are, and which one may be meant', () => {
    const { code, message, cure } = failure('margin_mes');
    expect(code).toBe('CONFIG');
    expect(message).toBe(
      'expected a loss from info-nce, pairwise-cross-entropy, margin-mse, kl, splade-v3, got "margin_mes"',
    );
    expect(cure).toBe('did you mean margin-mse?');
    expect(failure('constructor').cure).toBeUndefined();
  });

  it('refuses options that a loss does not have', () => {
    expect(failure('kl', { temperature: 0 }).message).toMatch(/^loss kl\.temperature: /);
    expect(failure('kl', { tau: 2 }).message).toContain('tau');
    expect(failure('margin-mse', { margins: 'some' }).message).toMatch(/^loss margin-mse\.margins: /);
    for (const options of [null, [], 'x']) expect(failure('info-nce', options).code).toBe('CONFIG');
  });
});
