import type { Log } from './log.ts';

export interface RefusedOriginLogOptions {
  readonly log: Log;
  /** A monotonic clock, in ms. */
  readonly monotonicNow: () => number;
}

/** How long an origin that was logged is not logged again, in ms. */
const INTERVAL_MS = 60_000;
/** Maximum origins that are logged in one interval: clients can send any origin. */
const MAX_ORIGINS = 20;
const MAX_ORIGIN_LENGTH = 100;

/** Logs the origins whose pages may not read responses, each once a minute. */
export function createRefusedOriginLog({
  log,
  monotonicNow,
}: RefusedOriginLogOptions): (origin: string) => void {
  /** When each origin was logged, the oldest first. */
  const loggedAt = new Map<string, number>();
  return (origin) => {
    const text = toPrintable(origin);
    const now = monotonicNow();
    for (const [known, at] of loggedAt) {
      if (now - at < INTERVAL_MS) break;
      loggedAt.delete(known);
    }
    if (loggedAt.has(text) || loggedAt.size >= MAX_ORIGINS) return;
    loggedAt.set(text, now);
    const message = `CORS: pages of the origin ${text} cannot read responses. ${toAdvice(origin)}`;
    if (log.warn) log.warn(message);
    else log.error(message);
  };
}

/** CORS_ORIGINS cannot have the origin `null`, because the pages of every site can have it. */
function toAdvice(origin: string): string {
  return origin === 'null'
    ? 'Pages of files and of sandboxed frames have this origin: serve the page from an http or https address, and add that to CORS_ORIGINS.'
    : 'Add the origin to CORS_ORIGINS if its pages are clients.';
}

/** Visible ASCII in quotation marks, cut: an origin is text of a client. */
function toPrintable(origin: string): string {
  const cut = origin.slice(0, MAX_ORIGIN_LENGTH);
  const escaped = cut.replace(
    /[^\x21-\x7e]|["\\]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}${cut.length < origin.length ? '…' : ''}"`;
}
