import type { HeaderWriter } from '#http/message.ts';

/**
 * Set on every response. A response that is not a page must load nothing, must not be framed, and
 * must not be taken for another type.
 */
export const SECURITY_HEADERS: { readonly [name: string]: string } = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

const SECURITY_HEADER_ENTRIES = Object.entries(SECURITY_HEADERS);

/** @param pageContentSecurityPolicy the content security policy of the GraphiQL page */
export function setSecurityHeaders(
  headers: HeaderWriter,
  pageContentSecurityPolicy: string | undefined,
): void {
  for (const [name, value] of SECURITY_HEADER_ENTRIES) headers.set(name, value);
  if (
    pageContentSecurityPolicy !== undefined &&
    headers.get('content-type')?.startsWith('text/html')
  ) {
    headers.set('content-security-policy', pageContentSecurityPolicy);
  }
}

/**
 * The content security policy of GraphiQL's page: scripts, workers and requests only from and to its
 * own origin. No other response of the gateway is a script, because browsers do not guess its type.
 * The editor writes styles at run time, and its style sheet embeds fonts and images.
 */
export const GRAPHIQL_POLICY = toPolicy("'self'");

/** The content security policy of a page with styles, and without scripts. */
export const NOTICE_POLICY = toPolicy("'none'");

function toPolicy(source: "'self'" | "'none'"): string {
  return [
    "default-src 'none'",
    `script-src ${source}`,
    `style-src ${source === "'self'" ? "'self' " : ''}'unsafe-inline'`,
    `connect-src ${source}`,
    'font-src data:',
    'img-src data:',
    `worker-src ${source}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
