/** A result, and the time of the processor that it took, in ms: other processes do not add to it. */
export async function measureCpu<T>(act: () => Promise<T>): Promise<{ result: T; cpuMs: number }> {
  const before = process.cpuUsage();
  const result = await act();
  const { user, system } = process.cpuUsage(before);
  return { result, cpuMs: (user + system) / 1000 };
}
