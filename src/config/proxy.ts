const NAMES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'];

/** Whether the environment names a proxy for some requests, as undici's `EnvHttpProxyAgent` reads it. */
export function isProxyNamed(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return NAMES.some((name) => environment[name]);
}
