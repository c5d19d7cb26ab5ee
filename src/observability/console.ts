/**
 * Prints why the process does not start: the reader is at a terminal, and a log may not exist yet.
 */
export function printFatal(error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: the only use of the console
  console.error(error);
}
