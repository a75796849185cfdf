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

/** The names of the strategies; of several at once, those that look at a vector alone come first. */
export const pruneStrategyNames = [
  'top-k',
  'threshold',
  'heaviest-share',
  'mass',
  'terms-share',
  'postings-share',
  'max-postings',
] as const;

/** The name of a strategy. */
export type PruneStrategyName = (typeof pruneStrategyNames)[number];

const strategies: Readonly<Record<PruneStrategyName, (value: number) => PruneStrategy>> = {
  'top-k': (value) => new TopK(value),
  threshold: (value) => new Threshold(value),
  'heaviest-share': (value) => new ShareOfHeaviest(value),
  mass: (value) => new ShareOfMass(value),
  'terms-share': (value) => new ShareOfTerms(value),
  'postings-share': (value) => new ShareOfPostings(value),
  'max-postings': (value) => new MaxPostings(value),
};

/**
 * Makes a strategy.
 * @throws LexrayError as the strategy does for a value that is out of its range
 */
export function pruneStrategy(name: PruneStrategyName, value: number): PruneStrategy {
  return strategies[name](value);
}

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
      const near = closest(name, pruneStrategyNames);
      throw new LexrayError('USAGE', `unknown pruning ${JSON.stringify(written)}`, {
        cure:
          near === undefined
            ? `expected a number of terms, or NAME=VALUE with ${pruneStrategyNames.join(', ')}`
            : `did you mean ${near}=${value}?`,
      });
    }
    const number = value.trim() === '' ? Number.NaN : Number(value);
    if (Number.isNaN(number)) {
      throw new LexrayError('USAGE', `${name} needs a number, got ${JSON.stringify(value)}`, {
        cure: `write ${name}=NUMBER`,
      });
    }
    return name === 'top-k' && number === 0 ? [] : [pruneStrategy(name, number)];
  });
}

/** Applies strategies one after the other. */
export function pruneVectors(vectors: SparseVectors, chain: readonly PruneStrategy[]): SparseVectors {
  return chain.reduce((rest, strategy) => strategy.prune(rest), vectors);
}

function isStrategyName(name: string): name is PruneStrategyName {
  return (pruneStrategyNames as readonly string[]).includes(name);
}
