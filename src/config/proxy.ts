const PROXY_VARIABLES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/**
 * Whether the environment names a proxy for some requests, as undici's `EnvHttpProxyAgent` reads
 * it.
 */
export function isProxyConfigured(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return PROXY_VARIABLES.some((name) => environment[name]);
}
