/**
 * Progress and warnings on stderr: on a terminal one line that is redrawn, with bar, rate and time left; elsewhere
 * (a file, a pipe, CI) a plain line at most every ten seconds. Honours NO_COLOR, CI and TERM=dumb.
 */
import { styleText } from 'node:util';
import type { ProgressEvent } from '../util/progress.ts';
import { formatCount, formatDuration, formatFigure } from './format.ts';

/** Where and how progress is shown. */
export interface ProgressBarOptions {
  readonly stream: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Show neither progress nor warnings. */
  readonly quiet: boolean;
  /** Show warnings but no progress. @default false */
  readonly hidden?: boolean;
  /** Milliseconds since any fixed time. */
  readonly now: () => number;
}

const redrawMilliseconds = 100;
const lineMilliseconds = 10_000;
const barWidth = 20;

/** Shows progress events, and lets other lines be printed without tearing the bar. */
export class ProgressBar {
  readonly #options: ProgressBarOptions;
  readonly #interactive: boolean;
  readonly #color: boolean;
  #phase: string | undefined;
  #phaseStart = 0;
  #doneAtStart = 0;
  #shownAt = Number.NEGATIVE_INFINITY;
  #drawn = false;
  #last: ProgressEvent | undefined;
  #shown: ProgressEvent | undefined;
  /** The phase is over and its last line stands. */
  #ended = false;

  constructor(options: ProgressBarOptions) {
    const { env, stream } = options;
    this.#options = options;
    this.#interactive = stream.isTTY === true && !isSet(env.CI) && env.TERM !== 'dumb';
    this.#color = this.#interactive && !isSet(env.NO_COLOR);
  }

  /** Takes an event; cheap enough to be called for every unit of work. */
  readonly update = (event: ProgressEvent): void => {
    if (this.#options.quiet || this.#options.hidden) return;
    const now = this.#options.now();
    const last = this.#last;
    if (event.phase !== this.#phase || (last !== undefined && event.done < last.done)) {
      this.#endPhase();
      this.#phase = event.phase;
      this.#phaseStart = now;
      this.#doneAtStart = event.done;
      this.#shownAt = this.#interactive ? Number.NEGATIVE_INFINITY : now;
      this.#ended = false;
    } else if (this.#ended) {
      return;
    }
    this.#last = event;
    if (event.total !== undefined && event.done >= event.total) {
      this.#endPhase();
      return;
    }
    if (now - this.#shownAt < (this.#interactive ? redrawMilliseconds : lineMilliseconds)) return;
    this.#shownAt = now;
    this.#show(event, now);
  };

  /** Prints a warning line. */
  readonly warn = (message: string): void => {
    if (this.#options.quiet) return;
    this.line(`${this.#paint('yellow', 'warning:')} ${message}`);
  };

  /** Prints a line of its own, above the bar. */
  line(text: string): void {
    this.#clear();
    this.#options.stream.write(`${text}\n`);
  }

  /** Ends the last phase: the bar's final state stays as a line. */
  finish(): void {
    this.#endPhase();
    this.#phase = undefined;
    this.#last = undefined;
  }

  #endPhase(): void {
    if (this.#last === undefined || this.#ended) return;
    this.#ended = true;
    const now = this.#options.now();
    if (this.#interactive) {
      this.#show(this.#last, now);
      this.#options.stream.write('\n');
      this.#drawn = false;
    } else if (now - this.#phaseStart >= lineMilliseconds && this.#last !== this.#shown) {
      this.#show(this.#last, now);
    }
  }

  #show(event: ProgressEvent, now: number): void {
    this.#shown = event;
    const text = this.#describe(event, (now - this.#phaseStart) / 1000);
    if (!this.#interactive) {
      this.#options.stream.write(`${text}\n`);
      return;
    }
    this.#clear();
    this.#options.stream.write(text);
    this.#drawn = true;
  }

  #describe(event: ProgressEvent, seconds: number): string {
    const { phase, done, total, unit, figures } = event;
    const parts = [phase];
    const rate = seconds > 0 ? (done - this.#doneAtStart) / seconds : 0;
    if (total !== undefined && total > 0) {
      const share = Math.min(1, Math.max(0, done / total));
      if (this.#interactive) {
        const full = Math.round(share * barWidth);
        parts.push('█'.repeat(full) + '░'.repeat(barWidth - full));
      }
      parts.push(`${Math.floor(share * 100)} %`, `${formatCount(done)}/${formatCount(total)} ${unit}`);
    } else {
      parts.push(`${formatCount(done)} ${unit}`);
    }
    if (rate > 0) parts.push(`${formatFigure(rate)} ${unit}/s`);
    if (rate > 0 && total !== undefined && done < total) parts.push(`${formatDuration((total - done) / rate)} left`);
    else parts.push(formatDuration(seconds));
    for (const [name, value] of Object.entries(figures ?? {})) parts.push(`${name} ${formatFigure(value)}`);
    const text = parts.join('  ');
    if (!this.#interactive) return text;
    const columns = this.#options.stream.columns ?? 80;
    return text.slice(0, columns - 1).replace(/█+/, (full) => this.#paint('cyan', full));
  }

  #clear(): void {
    if (!this.#drawn) return;
    this.#options.stream.write('\r\u001B[2K');
    this.#drawn = false;
  }

  #paint(color: 'yellow' | 'cyan', text: string): string {
    return this.#color ? styleText(color, text, { validateStream: false }) : text;
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
