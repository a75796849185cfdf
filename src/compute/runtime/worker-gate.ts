/**
 * The gate of an engine's worker, two flags in shared memory: whether the worker is inside a call, and whether it may
 * begin another. A thread that is stopped inside onnxruntime aborts the whole process (its binding throws while the
 * thread's environment goes away), so a worker is stopped only when it is outside, also when the process exits.
 */

const inside = 0;
const shut = 1;
const longestCall = 60_000;

/** A gate; both threads make one over the same memory. */
export class WorkerGate {
  readonly memory: SharedArrayBuffer;
  readonly #flags: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#flags = new Int32Array(memory);
  }

  /** For the worker, before a call: false when the gate is shut. */
  enter(): boolean {
    Atomics.store(this.#flags, inside, 1);
    if (Atomics.load(this.#flags, shut) === 0) return true;
    this.leave();
    return false;
  }

  /** For the worker, after a call. */
  leave(): void {
    Atomics.store(this.#flags, inside, 0);
    Atomics.notify(this.#flags, inside);
  }

  /** For the engine: lets no further call in. */
  shut(): void {
    Atomics.store(this.#flags, shut, 1);
  }

  /** For the engine: blocks until the worker is outside, or for so long that it must be lost. */
  waitUntilOutside(): void {
    Atomics.wait(this.#flags, inside, 1, longestCall);
  }
}
