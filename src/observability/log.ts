/** What the process says. One line each; never a document, a variable, a credential or upstream data. */
export interface Log {
  info(message: string): void;
  /** A fault that nobody foresaw: told with its stack, to whoever runs the gateway and nobody else. */
  bug(error: unknown): void;
  error(message: string): void;
}

export const consoleLog: Log = {
  // biome-ignore-start lint/suspicious/noConsole: this is the one door to the console
  info: (message) => console.log(message),
  error: (message) => console.error(message),
  bug: (error) => console.error(error),
  // biome-ignore-end lint/suspicious/noConsole: this is the one door to the console
};
