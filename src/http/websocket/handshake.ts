import { toErrorResponse } from '#http/error-response.ts';
import type { RequestHead } from '#http/message.ts';

/** The subprotocol of GraphQL over WebSocket that the gateway speaks. */
const PROTOCOL = 'graphql-transport-ws';

/** The version of RFC 6455. */
const VERSION = '13';

/** 16 bytes in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Characters of a subprotocol's name (RFC 9110, 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

/** The response to a handshake that cannot succeed for any client. Undefined for every other. */
export function findHandshakeError({ method, headers }: RequestHead): Response | undefined {
  if (method !== 'GET') return badRequest('A WebSocket is opened by GET.', 405, { allow: 'GET' });
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket')
    return badRequest('The only protocol to upgrade to is `websocket`.');
  if (headers.get('sec-websocket-version') !== VERSION)
    return badRequest(`The Sec-WebSocket-Version must be ${VERSION}.`, 426, {
      'sec-websocket-version': VERSION,
    });
  if (!KEY.test(headers.get('sec-websocket-key') ?? ''))
    return badRequest('The Sec-WebSocket-Key must be 16 bytes in base64.');
  const protocols = (headers.get('sec-websocket-protocol') ?? '')
    .split(',')
    .map((name) => name.trim());
  const isValid =
    protocols.every((name) => TOKEN.test(name)) && new Set(protocols).size === protocols.length;
  if (isValid && protocols.includes(PROTOCOL)) return undefined;
  return badRequest(
    `The Sec-WebSocket-Protocol must name \`${PROTOCOL}\`, the protocol of the package graphql-ws. (\`graphql-ws\` is the name of an older protocol.)`,
  );
}

function badRequest(message: string, status = 400, headers: Record<string, string> = {}): Response {
  return toErrorResponse('BAD_USER_INPUT', message, { status, headers });
}
