/**
 * Prints why the process does not start: the reader is at a terminal, and a log may not exist yet.
 */
export function printFatal(error: unknown): void {
  // biome-ignore lint/suspicious/noConsole: the process has no log yet
  console.error(error);
}

/** Prints a sentence beside the output of a command, which may be a document for a machine. */
export function printNotice(sentence: string): void {
  // biome-ignore lint/suspicious/noConsole: beside the output of the command
  console.error(sentence);
}

/** Prints a line on the standard output, for a command whose output is not a log. */
export function printLine(line: string): void {
  // biome-ignore lint/suspicious/noConsole: the output of the command
  console.log(line);
}
