/**
 * Prune strategies as text: `top-k=20`, several joined by `+` and applied from left to right. A bare number is a top-k,
 * `0` and `all` keep everything.
 */
import { closest } from '../../util/closest.ts';
import { LexrayError } from '../../util/errors.ts';
import type { SparseVectors } from '../sparse-vectors.ts';
import { MaxPostings } from './max-postings.ts';
import type { PruneStrategy } from './prune-strategy.ts';
import { ShareOfHeaviest } from './share-of-heaviest.ts';
import { ShareOfMass } from './share-of-mass.ts';
import { ShareOfPostings } from './share-of-postings.ts';
import { ShareOfTerms } from './share-of-terms.ts';
import { Threshold } from './threshold.ts';
import { TopK } from './top-k.ts';

/** The strategies by name; of several at once, those that look at a vector alone come first. */
export const pruneStrategies = {
  'top-k': (value) => new TopK(value),
  threshold: (value) => new Threshold(value),
  'heaviest-share': (value) => new ShareOfHeaviest(value),
  mass: (value) => new ShareOfMass(value),
  'terms-share': (value) => new ShareOfTerms(value),
  'postings-share': (value) => new ShareOfPostings(value),
  'max-postings': (value) => new MaxPostings(value),
} as const satisfies Readonly<Record<string, (value: number) => PruneStrategy>>;

/** The name of a strategy. */
export type PruneStrategyName = keyof typeof pruneStrategies;

/**
 * Reads strategies.
 * @returns none for what keeps everything
 * @throws LexrayError USAGE for a name that is not known or a value that is no number; as the strategy does for one that
 *   is out of its range
 */
export function parsePruneStrategies(text: string): PruneStrategy[] {
  return text.split('+').flatMap((part) => {
    const written = part.trim();
    if (written === 'all') return [];
    const [name = '', value = ''] = /^\d+$/.test(written) ? ['top-k', written] : written.split(/=(.*)/s);
    if (!isStrategyName(name)) {
      const near = closest(name, Object.keys(pruneStrategies));
      throw new LexrayError('USAGE', `unknown pruning ${JSON.stringify(written)}`, {
        cure:
          near === undefined
            ? `expected a number of terms, or NAME=VALUE with ${Object.keys(pruneStrategies).join(', ')}`
            : `did you mean ${near}=${value}?`,
      });
    }
    const number = value.trim() === '' ? Number.NaN : Number(value);
    if (Number.isNaN(number)) {
      throw new LexrayError('USAGE', `${name} needs a number, got ${JSON.stringify(value)}`, {
        cure: `write ${name}=NUMBER`,
      });
    }
    return name === 'top-k' && number === 0 ? [] : [pruneStrategies[name](number)];
  });
}

/** Applies strategies one after the other. */
export function pruneVectors(vectors: SparseVectors, strategies: readonly PruneStrategy[]): SparseVectors {
  return strategies.reduce((rest, strategy) => strategy.prune(rest), vectors);
}

function isStrategyName(name: string): name is PruneStrategyName {
  return Object.hasOwn(pruneStrategies, name);
}
