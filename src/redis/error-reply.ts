/** The kind of an error reply, with which its text begins: `WRONGPASS`, `LOADING`, `OOM`. */
export function toReplyKind(error: unknown): string | undefined {
  return error instanceof Error ? /^[A-Z]{2,}(?= )/.exec(error.message)?.[0] : undefined;
}
