const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a request names this machine in `Host`. A gateway that holds a key and asks for none is open to every page in the user's
 * browser that resolves its own name to 127.0.0.1 (DNS rebinding): such a page cannot change the `Host` it sends.
 */
export function namesLoopback({ hostname }: URL): boolean {
  return LOOPBACK_NAMES.has(hostname);
}
