/** For tests: how long a computation takes of the processor, whatever else the machine is doing. */

/** Processor seconds of this process while `work` runs. */
export function cpuSeconds(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
