/** Several asynchronous pieces of work at a time. */

/**
 * Applies `work` to every item, at most `limit` at a time. After the first failure no item is begun and the signal that
 * `work` gets is fired; when all that was begun has ended, the failure is thrown.
 * @returns the results, in the order of the items
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<R>,
  signal?: AbortSignal,
): Promise<R[]> {
  const results: R[] = [];
  const stop = new AbortController();
  // Not AbortSignal.any: in Node 20 a signal made by it may be collected as garbage while somebody waits for it.
  const interrupt = (): void => stop.abort(signal?.reason);
  if (signal?.aborted) interrupt();
  signal?.addEventListener('abort', interrupt, { once: true });
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const i = next++;
      try {
        results[i] = await work(items[i]!, stop.signal);
      } catch (error) {
        failures.push(error);
        stop.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  signal?.removeEventListener('abort', interrupt);
  if (failures.length > 0) throw failures[0];
  return results;
}
