/** What a text stream came across: how much it read, and which lines it could not use. */

/** Why a line gave no text, or not the one that stands there. */
export type StreamProblem = 'empty' | 'malformed' | 'invalidUtf8' | 'tooLong';

/** A line of a file. */
export interface LinePlace {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Lines with one problem. */
export interface ProblemLines {
  readonly problem: StreamProblem;
  readonly count: number;
  /** The first of them, five at most. */
  readonly first: readonly LinePlace[];
}

const firstKept = 5;

const sentences: Readonly<Record<StreamProblem, (invalidUtf8: 'skip' | 'replace') => string>> = {
  empty: () => 'without text, left out',
  malformed: () => 'not of the expected form, left out',
  invalidUtf8: (treatment) => (treatment === 'skip' ? 'not UTF-8, left out' : 'not UTF-8, with U+FFFD for bad bytes'),
  tooLong: () => 'too long, left out',
};

/** Counts of a stream, kept up to date while it is read. */
export class StreamReport {
  /** Lines read, those without a text included. */
  lines = 0;
  /** Texts given, before shards leave some out. */
  texts = 0;
  /** Bytes read from the disk. */
  bytes = 0;
  readonly #problems = new Map<StreamProblem, { count: number; first: LinePlace[] }>();

  /** Counts a line with a problem. */
  add(problem: StreamProblem, place: LinePlace): void {
    let entry = this.#problems.get(problem);
    if (entry === undefined) {
      entry = { count: 0, first: [] };
      this.#problems.set(problem, entry);
    }
    entry.count++;
    if (entry.first.length < firstKept) entry.first.push(place);
  }

  /** Lines with each problem that occurred. */
  get problems(): readonly ProblemLines[] {
    return [...this.#problems].map(([problem, { count, first }]) => ({ problem, count, first: [...first] }));
  }

  /** A sentence for each problem that occurred. */
  describe(invalidUtf8: 'skip' | 'replace' = 'skip'): readonly string[] {
    return this.problems.map(({ problem, count, first }) => {
      const places = first.map(({ file, line }) => `${file}:${line}`).join(', ');
      const more = count > first.length ? ', …' : '';
      return `${count} ${count === 1 ? 'line is' : 'lines are'} ${sentences[problem](invalidUtf8)}: ${places}${more}`;
    });
  }
}
