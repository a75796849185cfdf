/** The metrics of a run as they come: a line of metrics.jsonl each, and the same as events of TensorBoard. */
import { join } from 'node:path';
import { appendMetrics, type MetricsListener, type MetricsRow, truncateMetrics } from './metrics-log.ts';
import { EventFile, scalarTags } from './tensorboard/event-files.ts';

/** The log of one start of a run. */
export class RunLog {
  readonly #path: string;
  readonly #events: EventFile;
  readonly #onMetrics: MetricsListener | undefined;

  private constructor(path: string, events: EventFile, onMetrics: MetricsListener | undefined) {
    this.#path = path;
    this.#events = events;
    this.#onMetrics = onMetrics;
  }

  /**
   * Opens the log; lines of later steps, which an earlier start wrote, are dropped.
   * @param step steps done
   */
  static async open(trainingFolder: string, step: number, onMetrics?: MetricsListener | undefined): Promise<RunLog> {
    const path = join(trainingFolder, 'metrics.jsonl');
    await truncateMetrics(path, step);
    return new RunLog(path, await EventFile.open(trainingFolder, { firstStep: step + 1 }), onMetrics);
  }

  async write(row: MetricsRow): Promise<void> {
    await appendMetrics(this.#path, row);
    const finite = Object.entries(row).filter(([, value]) => Number.isFinite(value));
    await this.#events.write(row.step, scalarTags(Object.fromEntries(finite)));
    this.#onMetrics?.(row);
  }
}
