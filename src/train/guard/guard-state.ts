/** What a guard remembers of the steps so far: plain data, kept in every checkpoint, so that a resumed run is judged as one run. */
import { z } from 'zod';

/** A side of the batches. */
export type Side = 'queries' | 'documents';

/** Kinds of collapse. */
export type CollapseKind = 'dense' | 'dead' | 'constant' | 'chance' | 'not-finite';

/** What a guard found. */
export interface GuardAlarm {
  readonly kind: CollapseKind;
  /** Undefined for figures of the whole step: a loss above chance, what is not finite. */
  readonly side?: Side | undefined;
  /** The step that raised it. */
  readonly step: number;
  /** The step from which on the run looked so. */
  readonly since: number;
  /** In words, without the step. */
  readonly reason: string;
  /** The step at which it was over; only a run that went on can know. */
  readonly recovered?: number | undefined;
}

/** A collapse that is being watched. */
export interface Watch {
  readonly kind: CollapseKind;
  /** Undefined for a figure of the whole step. */
  readonly side?: Side | undefined;
  /** The first step with it. */
  readonly since: number;
  /** The last step at which it got better by a twentieth, and the figure then. */
  readonly improved: number;
  readonly best: number;
  /** Whether it was told. */
  readonly alarmed: boolean;
}

/** Names of the figures that are smoothed, for each side. */
export const smoothedNames = ['median', 'zeroShare', 'sharedTerms', 'spread'] as const;

/** Smoothed figures of one side. */
export type SideFigures = Readonly<Record<(typeof smoothedNames)[number], number>>;

/** Everything that a guard remembers. */
export interface GuardState {
  /** Exponentially weighted sums of each side's figures, and of their weights. */
  readonly sums: Readonly<Record<Side, SideFigures>>;
  /** The same of the ranking loss, in units of chance. */
  readonly ranking: number;
  readonly weight: number;
  /** Consecutive steps in which every vector of a side was zero. */
  readonly zeroSteps: Readonly<Record<Side, number>>;
  readonly watches: readonly Watch[];
  readonly alarms: readonly GuardAlarm[];
}

const step = z.int().min(0);
const side = z.enum(['queries', 'documents']);
const kind = z.enum(['dense', 'dead', 'constant', 'chance', 'not-finite']);
const figures = z.strictObject({
  median: z.number(),
  zeroShare: z.number(),
  sharedTerms: z.number(),
  spread: z.number(),
});

/** The schema of {@link GuardState}, for what comes back from a checkpoint. */
export const guardStateSchema: z.ZodType<GuardState> = z.strictObject({
  sums: z.strictObject({ queries: figures, documents: figures }),
  // A checkpoint from before this was watched has none: it begins as if at 0, below any alarm.
  ranking: z.number().default(0),
  weight: z.number().min(0).max(1),
  zeroSteps: z.strictObject({ queries: step, documents: step }),
  watches: z
    .array(
      z.strictObject({
        kind,
        side: side.optional(),
        since: step,
        improved: step,
        best: z.number(),
        alarmed: z.boolean(),
      }),
    )
    .max(16),
  alarms: z.array(
    z.strictObject({
      kind,
      side: side.optional(),
      step,
      since: step,
      reason: z.string(),
      recovered: step.optional(),
    }),
  ),
});

/** The state before the first step. */
export const emptyGuardState: GuardState = {
  sums: {
    queries: { median: 0, zeroShare: 0, sharedTerms: 0, spread: 0 },
    documents: { median: 0, zeroShare: 0, sharedTerms: 0, spread: 0 },
  },
  ranking: 0,
  weight: 0,
  zeroSteps: { queries: 0, documents: 0 },
  watches: [],
  alarms: [],
};
