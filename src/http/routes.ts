import { prefersHtml } from '#http/headers/media-type.ts';
import { toErrorResponse } from './error-response.ts';
import { HEALTH_PATHS } from './health-endpoints.ts';
import type { HeaderReader } from './message.ts';

/** The route of operations, below the base path. */
export const GRAPHQL_ENDPOINT = '/graphql';

/** The route of webhooks. Their paths have one segment more, which is a secret. */
export const WEBHOOK_ROUTE = '/webhooks/revox';

/**
 * Route label of every path that the gateway does not serve: callers choose paths, and a metric
 * label must stay bounded.
 */
export const UNKNOWN_ROUTE = 'other';

const ROUTES = new Set([GRAPHQL_ENDPOINT, ...HEALTH_PATHS]);

/** The route of a path below the base path; a slash at its end makes no difference. */
export function toRoute(pathname: string, basePath: string): string | undefined {
  if (!pathname.startsWith(basePath)) return undefined;
  const path = withoutSlash(pathname.slice(basePath.length));
  if (path.startsWith(`${WEBHOOK_ROUTE}/`)) return WEBHOOK_ROUTE;
  return ROUTES.has(path) ? path : undefined;
}

/** What follows the route in the path of a webhook. */
export function toWebhookSecret(pathname: string, basePath: string): string {
  return withoutSlash(pathname.slice(basePath.length + WEBHOOK_ROUTE.length + 1));
}

function withoutSlash(path: string): string {
  return path.replace(/(?<=.)\/$/, '');
}

/** The end of a path that may contain a secret, even if the secret or the path is misspelled. */
const AFTER_WEBHOOKS = /(webhooks?)\/.*/i;

/**
 * Redirects a browser at the base path to GraphiQL, and names the routes to every other client. The
 * location is relative, so that a prefix that a proxy has removed from the path stays in the
 * browser's address.
 */
export function toNotFound(pathname: string, basePath: string, headers: HeaderReader): Response {
  const isBase = pathname === basePath || pathname === `${basePath}/`;
  if (isBase && prefersHtml(headers.get('accept'))) {
    const lastSegment = pathname.slice(pathname.lastIndexOf('/') + 1);
    const location = `${lastSegment}${GRAPHQL_ENDPOINT}`.replace(/^\//, '');
    return new Response(null, { status: 302, headers: { location } });
  }
  const shown = pathname.replace(AFTER_WEBHOOKS, '$1/…');
  const [endpoint, ...others] = [...ROUTES].map((route) => `${basePath}${route}`);
  const message = `${shown} does not exist: the GraphQL endpoint is ${endpoint}, the other routes are ${others.join(', ')}.`;
  return toErrorResponse('BAD_USER_INPUT', message, { status: 404 });
}
