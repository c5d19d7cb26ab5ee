import type { Settings } from '#config/settings.ts';
import type { Summary } from './summary.ts';

const QUERY = '{ callAttempts(first: 2) { nodes { startedAt status result } } }';

/** The addresses of the demo, and a first request to try. */
export function summarizeDemo(
  settings: Settings,
  {
    address,
    sandboxUrl,
    apiKeys,
  }: { address: string; sandboxUrl: string; apiKeys: readonly string[] },
): Summary {
  return {
    message: 'This is a demo: all of its data is invented.',
    lines: [
      ['GraphiQL', settings.graphiql ? 'open the address above in a browser' : 'off (GRAPHIQL)'],
      ['try', toCurl(settings, address)],
      [
        'sandbox',
        `${sandboxUrl}, the REST API behind the gateway, with the keys ${apiKeys.join(' and ')}`,
      ],
      [
        'try',
        `curl -s '${sandboxUrl}/call?page=1&page_size=2' -H 'authorization: Bearer ${apiKeys[0]}'`,
      ],
      ['next', 'doctor checks a real key (npm run doctor), start serves the real API (npm start)'],
      ['stop', 'Ctrl+C'],
    ],
    fields: { data: 'invented', sandboxUrl, apiKeys },
  };
}

/** The address where this machine reaches the gateway: `0.0.0.0` and `::` are all addresses. */
export function toReachable(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, 'localhost');
}

/**
 * A command that works when it is pasted. It has no scheme, which curl does not need: the line
 * "Ready" alone contains the URL of the endpoint.
 */
function toCurl(settings: Settings, address: string): string {
  const credential =
    settings.routerSecrets.length > 0
      ? `-H 'router-authorization: <one of ROUTER_SECRETS>' `
      : settings.jwt
        ? `-H 'authorization: Bearer <a token of JWT_ISSUER>' `
        : '';
  return `curl -s '${toReachable(address)}${settings.basePath}/graphql' ${credential}-H 'content-type: application/json' -d '{"query":"${QUERY}"}'`;
}
