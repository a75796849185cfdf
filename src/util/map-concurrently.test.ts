import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mapConcurrently } from './map-concurrently.ts';

describe('mapConcurrently', () => {
  it('gives results in order, with no more at a time than allowed', async () => {
    let running = 0;
    let most = 0;
    const results = await mapConcurrently([30, 1, 20, 2, 10], 2, async (milliseconds) => {
      most = Math.max(most, ++running);
      await setTimeout(milliseconds);
      running--;
      return milliseconds * 2;
    });
    expect(results).toEqual([60, 2, 40, 4, 20]);
    expect(most).toBe(2);
  });

  it('throws the first failure when all that was begun has ended, and begins nothing more', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = mapConcurrently([0, 1, 2, 3], 2, async (item, signal) => {
      begun.push(item);
      try {
        if (item === 0) throw new Error('first');
        await setTimeout(5000, undefined, { signal });
      } finally {
        ended.push(item);
      }
    });
    await expect(work).rejects.toThrow('first');
    expect(begun).toEqual([0, 1]);
    expect(ended).toEqual([0, 1]);
  });

  it('passes an interruption on', async () => {
    const controller = new AbortController();
    const work = mapConcurrently([1], 1, (_, signal) => setTimeout(5000, undefined, { signal }), controller.signal);
    controller.abort();
    await expect(work).rejects.toThrow(/abort/i);
  });

  it('of nothing is nothing', async () => {
    expect(await mapConcurrently([], 3, () => Promise.reject(new Error('called')))).toEqual([]);
  });
});
