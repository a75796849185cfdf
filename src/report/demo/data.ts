/** What the report of the demo is made from: plain data, filled by the demo while it works. */
import type { MeasureComparison } from '../../evaluate/compare-runs.ts';
import type { Estimate } from '../table.ts';

/** Everything that the report shows. */
export interface DemoReportData {
  /** ISO 8601 time of the run. */
  readonly created: string;
  /** `lexray 0.1.0`. */
  readonly tool: string;
  readonly task: DemoTask;
  /** In the order of the table; the first is the one that was trained. */
  readonly systems: readonly DemoSystem[];
  /** Measures of the table, in its order; the first is the main one. */
  readonly measures: readonly string[];
  /** Pairs of systems on the held-out queries. The first is shown query by query. */
  readonly comparisons: readonly DemoComparison[];
  readonly training: DemoTraining;
  /** Lengths of the postings lists (documents per term, the empty ones left out) of each index. */
  readonly postings: readonly { readonly system: string; readonly lengths: readonly number[] }[];
  /** Held-out queries and what each system finds, chosen without looking at the results. */
  readonly examples: readonly DemoExample[];
  /** Texts of the held-out queries by qid, for the wins and losses. */
  readonly queryTexts: ReadonlyMap<string, string>;
  /** Documents and the terms that the model gives them, the heaviest first. */
  readonly expansions: readonly DemoExpansion[];
  readonly environment: DemoEnvironment;
}

/** The retrieval task. */
export interface DemoTask {
  /** Where the symbols come from, in words: the packages of a project, or installed packages. */
  readonly source: string;
  readonly packages: number;
  readonly documents: number;
  readonly trainQueries: number;
  readonly devQueries: number;
  readonly testQueries: number;
}

/** A system of the table. */
export interface DemoSystem {
  readonly name: string;
  /** Mean and interval on the held-out queries by measure: `RR@10`. */
  readonly measures: Readonly<Record<string, Estimate>>;
  /** Mean active dimensions. */
  readonly queryActiveDims?: number;
  readonly documentActiveDims?: number;
  /** Retrieval FLOPS: mean products of weights for a query and a document. */
  readonly flops?: number;
  /** Size of the index on disk. */
  readonly indexBytes?: number;
  /** Time of one query from its text to the ranking, on one thread. */
  readonly queryMilliseconds?: { readonly median: number; readonly p95: number };
}

/** A paired comparison: a positive difference says that `b` is better. */
export interface DemoComparison {
  readonly a: string;
  readonly b: string;
  readonly measures: readonly MeasureComparison[];
}

/** One step of the training, or the mean of some. */
export interface DemoTrainingStep {
  readonly step: number;
  /** Seconds since the first step began. */
  readonly seconds: number;
  /** Sum of the three parts. */
  readonly loss: number;
  /** The ranking loss. */
  readonly baseLoss: number;
  /** λ_q times the regularizer. */
  readonly queryRegularizerLoss: number;
  /** λ_d times the regularizer. */
  readonly documentRegularizerLoss: number;
  /** Means over the batch. */
  readonly queryActiveDims: number;
  readonly documentActiveDims: number;
  readonly learningRate: number;
}

/** The training. */
export interface DemoTraining {
  readonly steps: readonly DemoTrainingStep[];
  /** Main measure on the dev queries. */
  readonly dev: readonly { readonly step: number; readonly value: number }[];
  /** Which measure that is. */
  readonly devMeasure: string;
  /** The step whose weights were kept. */
  readonly keptStep?: number;
  /** Model and recipe, name by name: `layers`, `learningRate`. */
  readonly recipe: Readonly<Record<string, string | number>>;
}

/** One ranked document. */
export interface DemoHit {
  readonly title: string;
  readonly relevant: boolean;
}

/** A query and the first documents of each system. */
export interface DemoExample {
  readonly query: string;
  /** Titles of the relevant documents. */
  readonly relevant: readonly string[];
  readonly rankings: readonly {
    readonly system: string;
    readonly hits: readonly DemoHit[];
    /** Rank of the first relevant document; `undefined` when it was not found. */
    readonly rank?: number;
  }[];
}

/** A document and its terms. */
export interface DemoExpansion {
  readonly title: string;
  readonly terms: readonly {
    readonly token: string;
    readonly weight: number;
    /** Whether the term is a token of the document itself. */
    readonly inText: boolean;
  }[];
}

/** Where and how it ran. */
export interface DemoEnvironment {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly platform: string;
  readonly threads: number;
  readonly seed: number;
  /** Phases in their order. */
  readonly phases: readonly { readonly name: string; readonly seconds: number }[];
  /** Other facts, name by name: versions of the engine, of TypeScript. */
  readonly other?: Readonly<Record<string, string>>;
}
