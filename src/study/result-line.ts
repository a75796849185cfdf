/**
 * One run of a study as a line of its results: what was run (enough to run it again), what came out, and the scores of every
 * query. Runs of different cells differ only in what the design declares; lines of one file belong to one design.
 */
import { z } from 'zod';
import { badInput } from '../util/errors.ts';
import { schemaComplaint } from '../util/schema-complaint.ts';
import type { Levels, Settings } from './design.ts';

/** Scores of one set of queries. */
export interface QueryScores {
  readonly qids: readonly string[];
  /** One score a query, by measure, in the order of the qids. */
  readonly measures: Readonly<Record<string, readonly number[]>>;
}

/** What a run gives. */
export interface CellResult {
  /** Any figures: losses, active dimensions, costs. */
  readonly metrics: Readonly<Record<string, number>>;
  /** By collection. */
  readonly scores: Readonly<Record<string, QueryScores>>;
  /** What is no figure: verdicts, versions, what a guard said. Not compared when a run is repeated. */
  readonly facts?: Readonly<Record<string, string>> | undefined;
  /** Figures during the run by name, each as long as `step`; null where a step has none. Not compared either. */
  readonly curves?: Readonly<Record<string, readonly (number | null)[]>> | undefined;
  /** The same for a pre-training that came before, over steps of its own. */
  readonly pretrainingCurves?: CellResult['curves'];
}

/** A line of results. */
export interface ResultLine extends CellResult {
  readonly schema: 1;
  /** Name of the design. */
  readonly study: string;
  readonly id: string;
  readonly levels: Levels;
  readonly seed: number;
  readonly settings: Settings;
  readonly resolved: Settings;
  readonly seconds: number;
  /** ISO 8601 time of the end. */
  readonly finished: string;
  /** `lexray` and its version. */
  readonly tool: string;
}

const json = z.record(z.string(), z.json());
const curves = z.record(z.string(), z.array(z.number().nullable()));
const schema = z.object({
  schema: z.literal(1),
  study: z.string(),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  levels: z.record(z.string(), z.string()),
  seed: z.int(),
  settings: json,
  resolved: json,
  metrics: z.record(z.string(), z.number()),
  scores: z.record(
    z.string(),
    z.object({ qids: z.array(z.string()), measures: z.record(z.string(), z.array(z.number())) }),
  ),
  facts: z.record(z.string(), z.string()).optional(),
  curves: curves.optional(),
  pretrainingCurves: curves.optional(),
  seconds: z.number(),
  finished: z.string(),
  tool: z.string(),
});

/**
 * Checks a line.
 * @throws LexrayError BAD_INPUT when it is not one of results, or has not one score a query
 */
export function parseResultLine(value: unknown, where: string): ResultLine {
  const { success, data, error } = schema.safeParse(value);
  if (!success) {
    throw badInput(`not a line of results: ${schemaComplaint(error, value)}`, {
      where,
      cure: 'check the path: a study writes to a file of its own',
    });
  }
  checkResult(data, where);
  return data as ResultLine;
}

/**
 * Checks that every measure has one finite score a query, qids differ, and metrics are finite.
 * @throws LexrayError BAD_INPUT
 */
export function checkResult({ metrics, scores }: CellResult, where: string): void {
  for (const [name, value] of Object.entries(metrics)) {
    if (!Number.isFinite(value)) throw badInput(`the metric ${name} is ${value}`, { where });
  }
  for (const [collection, { qids, measures }] of Object.entries(scores)) {
    if (new Set(qids).size < qids.length) throw badInput(`a qid occurs twice in ${collection}`, { where });
    for (const [measure, values] of Object.entries(measures)) {
      if (values.length !== qids.length || !values.every(Number.isFinite)) {
        throw badInput(`${collection} needs one finite score of ${measure} for each of ${qids.length} queries`, {
          where,
        });
      }
    }
  }
}
