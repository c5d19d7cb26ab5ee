/** Says plainly why the process does not start: whoever reads that has a terminal before him, and perhaps no log at all. */
export function printFatal(error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: this is the one door to the console
  console.error(error);
}
