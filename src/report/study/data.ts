/** What the report of studies is made of: plain data, computed from the lines of results by `study/summary/`. */
import type { Estimate } from '../table.ts';

/** The level of each factor, by factor. */
export type ReportLevels = Readonly<Record<string, string>>;

/** Scores of one combination of levels. */
export interface ReportCell {
  readonly levels: ReportLevels;
  readonly seeds: readonly number[];
  /** Means over seeds and queries by `COLLECTION PRUNING MEASURE`; intervals where there are two seeds or more. */
  readonly scores: Readonly<Record<string, Estimate>>;
  /** Means over the seeds of all metrics that every seed has. */
  readonly metrics: Readonly<Record<string, number>>;
  /**
   * Figures that a run has one of, with t intervals over the seeds: of the pre-trained model (`mlm …`), of its loss over the last
   * fifth of the steps (`lastFifth`, a share), and of postings (`eval 5/10 postings cv2`, `… p99`, `… maxDF`).
   */
  readonly figures: Readonly<Record<string, Estimate>>;
  /** Seeds whose run collapsed, by the definition of the study. */
  readonly collapsed: number;
  /** Seeds in which the guard saw a collapse that lasted. */
  readonly guarded: number;
  /** Seeds whose head was judged to collapse before training; undefined where it was not judged. */
  readonly predicted: number | undefined;
  /** Curves of each seed by figure; `step` is among them. */
  readonly curves: readonly Readonly<Record<string, readonly (number | null)[]>>[];
  /** The same of a pre-training before. */
  readonly pretrainingCurves: readonly Readonly<Record<string, readonly (number | null)[]>>[];
}

/** What is plotted along x, what makes curves, and what makes plots. */
export interface ReportSweep {
  readonly axis: string;
  readonly series: string | undefined;
  readonly panels: readonly string[];
}

/** A contrast, answered. */
export interface ReportContrast {
  readonly name: string;
  readonly claim: 'positive' | 'negative' | 'none';
  readonly measure: string;
  readonly effect: Required<Estimate>;
  /** The two-way bootstrap, on which nothing rests. */
  readonly bootstrap: Required<Estimate>;
  readonly effectP: number;
  readonly signFlipP: number;
  /** The least effect that the design finds with a power of .8; infinite where it finds none. */
  readonly detectable: number;
  readonly seeds: number;
  readonly positive: number;
  readonly verdict: string;
}

/** The contrasts of a family. */
export interface ReportFamily {
  readonly name: string;
  readonly contrasts: readonly ReportContrast[];
  /** Counts of verdicts in words. */
  readonly words: string;
}

/** A difference that was asked after the runs were seen: an interval, and no verdict. */
export interface ReportExplored {
  readonly name: string;
  /** Contrasts of one family stand together. */
  readonly family: string;
  readonly measure: string;
  readonly effect: Required<Estimate>;
  readonly seeds: number;
  readonly positive: number;
}

/** How far a rule for the factor is from the best swept one. */
export interface ReportRule {
  readonly rule: string;
  /** Whether its constant comes from this very study. @default false */
  readonly inSample?: boolean;
  readonly mean: Required<Estimate>;
  readonly worst: string;
  readonly backbones: readonly {
    readonly backbone: string;
    readonly wanted: number;
    readonly factor: number;
    readonly bestFactor: number;
    /** The rule, where several were to be chosen from, and its constant. */
    readonly chosenRule?: string | undefined;
    readonly constant?: number | undefined;
    readonly regret: Required<Estimate>;
  }[];
  /** What the rule is worth against leaving a head alone that comes with a gain: the mean over the backbones. */
  readonly gained: readonly { readonly gain: number; readonly difference: Required<Estimate> }[];
}

/** Rules for one question. */
export interface ReportRegrets {
  /** What is measured, where it is chosen and where judged. */
  readonly question: string;
  readonly rules: readonly ReportRule[];
  /** Why there are none. */
  readonly reason: string | undefined;
}

/** Where a sweep is best: one backbone. */
export interface ReportBest {
  readonly backbone: string;
  readonly gain: number;
  /** Score on the judged queries there, and how far it lies above that of the backbone as it is. */
  readonly score: Required<Estimate>;
  readonly above: Required<Estimate>;
  /** Gains of cells without a collapsed run. */
  readonly healthy: readonly number[];
  /** Figures of the head at the best gain. */
  readonly figures: Readonly<Record<string, number>>;
}

/** A sweep of several backbones: where each is best, and how far apart that is. */
export interface ReportBestGains {
  readonly question: string;
  /** Levels that the cells of the sweep share. */
  readonly levels: ReportLevels;
  readonly backbones: readonly ReportBest[];
  /** Octaves between the backbones, at their best, by the gain and by each figure. */
  readonly octaves: Readonly<Record<string, number>>;
}

/** What a figure or a rule says of collapse before training. Undefined is what needs two outcomes, or two arms. */
export interface ReportPredictor {
  readonly name: string;
  /** Whether its thresholds come from this very study. @default false */
  readonly inSample?: boolean;
  /** Area under the ROC curve among heads that were made larger, and among those that were made smaller. */
  readonly areaLarger?: Required<Estimate> | undefined;
  readonly areaSmaller?: Required<Estimate> | undefined;
  /** Balanced accuracy with thresholds from the other backbones; of a rule, as it is. */
  readonly accuracy: Required<Estimate> | undefined;
  /** The same with thresholds from other backbones and other arms. */
  readonly otherArm?: Required<Estimate> | undefined;
  /** The healthy range by which each backbone was judged. */
  readonly windows: readonly {
    readonly backbone: string;
    readonly window: { readonly low: number; readonly high: number } | undefined;
    /** The figure, where it was chosen too. */
    readonly figure?: string;
  }[];
}

/** How a figure of the pre-trained model goes with a score after fine-tuning, over cells. */
export interface ReportCorrelation {
  readonly statistic: string;
  readonly score: string;
  readonly cells: number;
  /** Spearman's ρ. */
  readonly rho: Required<Estimate>;
}

/** One study. */
export interface ReportStudy {
  readonly name: string;
  readonly runs: number;
  readonly seconds: number;
  /** Queries by collection and pruning. */
  readonly queries: Readonly<Record<string, number>>;
  /** Factors with more than one level, with their levels. */
  readonly factors: Readonly<Record<string, readonly string[]>>;
  readonly cells: readonly ReportCell[];
  readonly sweep: ReportSweep | undefined;
  readonly families: readonly ReportFamily[];
  readonly explored: readonly ReportExplored[];
  /** Empty where nothing was swept. */
  readonly regrets: readonly ReportRegrets[];
  readonly bestGains: readonly ReportBestGains[];
  readonly predictors: readonly ReportPredictor[];
  readonly correlations: readonly ReportCorrelation[];
  readonly tools: readonly string[];
}

/** The whole report. */
export interface StudyReportData {
  readonly studies: readonly ReportStudy[];
  /** What made the page. */
  readonly tool: string;
}

/** `gain = 4, arm = B`, of the factors that are named. */
export function levelsLabel(levels: ReportLevels, factors: readonly string[]): string {
  return factors.map((factor) => `${factor} = ${levels[factor] ?? ''}`).join(', ');
}
