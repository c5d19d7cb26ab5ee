import type { HeaderReader } from '#http/message.ts';

const LOOPBACK_HOSTNAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a request names this machine in `Host`. A gateway that holds a key and asks for none is open to every page in the user's
 * browser that resolves its own name to 127.0.0.1 (DNS rebinding): such a page cannot change the `Host` it sends.
 *
 * An empty `Host`, and one with user information, name no machine (RFC 9110, 4.2.4 and 7.2). The adapter reads the first as `localhost`;
 * a mounted gateway may get no `Host` at all.
 */
export function hasLoopbackHost({ hostname }: URL, headers: HeaderReader): boolean {
  const host = headers.get('host');
  const isWellFormed = host === null || (host.trim() !== '' && !host.includes('@'));
  return isWellFormed && LOOPBACK_HOSTNAMES.has(hostname);
}
