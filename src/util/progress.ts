/** Progress events of long work: plain data. Only `cli/` prints them. */

/** One report of how far a long piece of work has come. */
export interface ProgressEvent {
  /** What is being done, a short phrase: "encode documents". */
  readonly phase: string;
  /** Units done so far. */
  readonly done: number;
  /** Units in all, if known. */
  readonly total?: number;
  /** What a unit is: "texts", "steps", "bytes". */
  readonly unit: string;
  /** Figures worth showing beside the bar: loss, active dimensions. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** Receives progress. Called often; must be cheap and must not throw. */
export type ProgressListener = (event: ProgressEvent) => void;

/** A warning for the user that does not stop the work. */
export type WarningListener = (message: string) => void;
