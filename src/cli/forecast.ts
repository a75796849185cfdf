/** `--dry-run`: what a long verb would take, as an estimate with its basis; nothing is written. */
import { z } from 'zod';
import { formatBytes, formatDuration } from './format.ts';

/** An estimate of time, memory and output size. */
export interface Forecast {
  /** Wall-clock seconds; undefined when nothing allows an estimate. */
  readonly seconds: number | undefined;
  /** Largest resident memory, in bytes. */
  readonly memoryBytes: number;
  /** Size of what would be written, in bytes; 0 when nothing is. */
  readonly outputBytes: number;
  /** What the estimate rests on, in one sentence. */
  readonly basis: string;
}

/** Schema of what `--dry-run --json` prints. */
export const forecastSchema: z.ZodType<Record<string, unknown>> = z.strictObject({
  dryRun: z.literal(true),
  seconds: z.number().nullable(),
  memoryBytes: z.number(),
  outputBytes: z.number(),
  basis: z.string(),
});

/** A forecast as the result of a verb. */
export function forecastResult(forecast: Forecast): { data: Record<string, unknown>; text: string } {
  const { seconds, memoryBytes, outputBytes, basis } = forecast;
  const time = seconds === undefined ? 'unknown time' : `about ${formatDuration(seconds)}`;
  return {
    data: { dryRun: true, seconds: seconds ?? null, memoryBytes, outputBytes, basis },
    text: [
      `would take ${time}, ${formatBytes(memoryBytes)} of memory${outputBytes > 0 ? ` and ${formatBytes(outputBytes)} on disk` : ''}`,
      `estimated from: ${basis}`,
      'nothing was written',
    ].join('\n'),
  };
}
