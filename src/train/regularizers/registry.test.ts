import { describe, expect, it } from 'vitest';
import { LexrayError } from '../../util/errors.ts';
import { findRegularizer, regularizerNames } from './registry.ts';

describe('findRegularizer', () => {
  it('makes each regularizer without options, a new one each time', () => {
    for (const name of regularizerNames) expect(findRegularizer(name)).not.toBe(findRegularizer(name));
    expect(new Set(regularizerNames.map((name) => findRegularizer(name).name)).size).toBe(regularizerNames.length);
  });

  it('says which regularizers there are', () => {
    const failure = (name: string, options?: unknown) => () => findRegularizer(name, options);
    expect(failure('flopps')).toThrow(LexrayError);
    expect(failure('flopps')).toThrow(
      'expected a regularizer from flops, threshold-flops, df-flops, joint-flops, l1, anti-zero, got "flopps"',
    );
    expect(failure('flops', { threshold: 3 })).toThrow(/^regularizer flops: .*threshold/);
    expect(failure('df-flops', { alpha: 1 })).toThrow(/^regularizer df-flops\.alpha: /);
  });
});
