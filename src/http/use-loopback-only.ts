import type { Plugin } from 'graphql-yoga';

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Answers only requests that name this machine in `Host`. A gateway that holds a key and asks for none is open to every page in
 * the user's browser that resolves its own name to 127.0.0.1 (DNS rebinding): such a page cannot change the `Host` it sends.
 */
export function useLoopbackOnly(): Plugin {
  return {
    onRequest({ url, endResponse, fetchAPI }) {
      if (LOOPBACK_NAMES.has(url.hostname)) return;
      const message = 'This gateway answers only localhost: it holds an API key and asks for none.';
      endResponse(
        new fetchAPI.Response(JSON.stringify({ errors: [{ message, extensions: { code: 'FORBIDDEN' } }] }), {
          status: 403,
          headers: { 'content-type': 'application/json; charset=utf-8' },
        }),
      );
    },
  };
}
