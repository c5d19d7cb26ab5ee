import type { IsAllowedOrigin } from '#http/headers/allowed-origins.ts';
import type { RequestHead } from '#http/message.ts';

/**
 * Whether a browser sent this request for a page of another origin that is not allowed. Another
 * port of this machine is another origin too: the server there may be hostile. Clients other than
 * browsers send neither `Origin` nor `Sec-Fetch-Site`. A browser whose user typed the address sends
 * `Sec-Fetch-Site: none`.
 */
export function isCrossSite(
  { url, headers }: RequestHead,
  isAllowedOrigin: IsAllowedOrigin,
): boolean {
  const origin = headers.get('origin');
  if (origin !== null && isAllowedOrigin(origin)) return false;
  // A plain GET of another site's page (image, script, link) carries no `Origin`, but it carries
  // `Sec-Fetch-Site`.
  const site = headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin' && site !== 'none') return true;
  return origin !== null && origin !== new URL(url).origin;
}
