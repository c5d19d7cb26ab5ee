import type { HeaderReader } from '#http/message.ts';

const LOOPBACK_HOSTNAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether `Host` names this machine. In a browser on this machine, every page whose host name
 * resolves to 127.0.0.1 can send requests to the gateway (DNS rebinding). A gateway that uses its
 * own key without authentication would serve these requests. But the page cannot change the `Host`
 * that the browser sends.
 *
 * An empty `Host`, and one with user information, name no host (RFC 9110, 4.2.4 and 7.2). The Node
 * adapter (`@whatwg-node/server`) builds the URL of a request with an empty `Host` from the local
 * address, so the header is checked too. A gateway that is embedded in another server may get no
 * `Host` at all.
 */
export function hasLoopbackHost({ hostname }: URL, headers: HeaderReader): boolean {
  const host = headers.get('host');
  const isWellFormed = host === null || (host.trim() !== '' && !host.includes('@'));
  return isWellFormed && LOOPBACK_HOSTNAMES.has(hostname);
}
