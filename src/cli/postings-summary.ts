/** The lengths of postings lists in a few figures, over the terms that are in a document. */
import { z } from 'zod';
import type { PostingsStatistics } from '../vectors/statistics.ts';

/** Lengths of the postings lists of the terms that are used. */
export interface PostingsSummary {
  /** Terms that are in at least one document. */
  readonly terms: number;
  readonly mean: number;
  /** Variance divided by the squared mean. */
  readonly cv2: number;
  readonly p99: number;
  /** The largest document frequency. */
  readonly largest: number;
}

/** Schema of a {@link PostingsSummary}. */
export const postingsSchema: z.ZodType<PostingsSummary> = z.strictObject({
  terms: z.int(),
  mean: z.number(),
  cv2: z.number(),
  p99: z.int(),
  largest: z.int(),
});

/** Summarises statistics of postings lists. */
export function summarisePostings({ usedTerms }: PostingsStatistics): PostingsSummary {
  const { count, mean, cv2, p99, max } = usedTerms;
  return { terms: count, mean, cv2, p99, largest: max };
}
