import type { RequestHead } from '#http/message.ts';

/**
 * Whether a browser sent this request for a page of another origin that is not allowed to. Another port of this machine is another origin,
 * too: whatever listens there need not be a friend. What is no browser sends neither header, nor does a browser whose user typed the address.
 */
export function isCrossSite({ url, headers }: RequestHead, allowedOrigins: ReadonlySet<string>): boolean {
  const origin = headers.get('origin');
  if (origin !== null && allowedOrigins.has(origin)) return false;
  // Plain GETs of other sites' pages (images, scripts, links) carry no Origin, but they carry this.
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return true;
  return origin !== null && origin !== new URL(url).origin;
}
