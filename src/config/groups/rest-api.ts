import { z } from 'zod';
import {
  bytes,
  oneOf,
  optionalVariable,
  text,
  type Values,
  type VariableGroup,
  variable,
  wholeNumber,
} from '#config/variable.ts';

export interface RestApiSettings {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly firstPage: 'auto' | 0 | 1;
  readonly arrayFormat: 'comma' | 'repeat' | 'brackets';
  readonly pageSize: number;
  readonly maxResponseBytes: number;
  readonly userAgentComment: string | undefined;
  /** Absent: no proxy. `NO_PROXY` applies to each request, as undici reads it. */
  readonly proxies: ProxySettings | undefined;
}

/** The proxies by the scheme of the upstream. Without one for https, that for http is used. */
export interface ProxySettings {
  readonly http: string | undefined;
  readonly https: string | undefined;
}

const BASE_URL_ACCEPTS =
  'an http or https URL without user, query or fragment, for example https://www.getrevox.com/api';
const BASE_URL = {
  accepts: BASE_URL_ACCEPTS,
  schema: z
    .string()
    .refine(isPlainHttpUrl, `must be ${BASE_URL_ACCEPTS}`)
    .transform((url) => url.replace(/\/+$/, '')),
};

/** undici throws for every other URL, with a stack or with the value in its message. */
const PROXY_URL = text(
  'an http, https or socks5 URL without a path, for example http://proxy.example.com:3128',
  isProxyUrl,
).schema.optional();

// RFC 9110, 5.6.5: without the characters that would nest or end the comment, or need escapes.
const USER_AGENT_COMMENT = text(
  'at most 200 characters of ASCII without parentheses and backslashes, for example ops@example.com',
  (comment) => /^[\x20-\x27\x2a-\x5b\x5d-\x7e]{1,200}$/.test(comment),
);

const variables = {
  REVOX_BASE_URL: variable(BASE_URL, 'https://www.getrevox.com/api', 'URL of the REST API.'),
  REVOX_FIRST_PAGE: variable(
    oneOf('auto', '0', '1'),
    'auto',
    "Number of the first page, which the documentation gives as 0 and as 1. `auto`: detected for each credential from the upstream's own behaviour, and verified by at most three requests after 10 seconds, doubling to 10 minutes.",
  ),
  REVOX_ARRAY_FORMAT: variable(
    oneOf('comma', 'repeat', 'brackets'),
    'comma',
    'Format of `statuses`, which is not documented. `comma`: `a,b`.',
  ),
  REVOX_PAGE_SIZE: variable(
    wholeNumber(1, 10_000, 'items'),
    50,
    'Items of an upstream page. If the upstream serves fewer, the gateway learns the real size.',
  ),
  REVOX_MAX_RESPONSE_BYTES: variable(
    bytes(1024),
    32 * 2 ** 20,
    'Maximum size of an upstream response.',
  ),
  REVOX_USER_AGENT_COMMENT: optionalVariable(
    USER_AGENT_COMMENT,
    'Comment of the `User-Agent` header of upstream requests: `revox-graphql-gateway/<version> (<comment>)`.',
  ),
  http_proxy: PROXY_URL,
  HTTP_PROXY: PROXY_URL,
  https_proxy: PROXY_URL,
  HTTPS_PROXY: PROXY_URL,
};

export const restApi = {
  title: 'The REST API',
  variables,
  foreignVariables: [
    {
      names: ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'],
      meaning: 'Proxy for requests to the REST API, with the usual meaning.',
      accepts: 'an http, https or socks5 URL without a path; a list of hosts',
      default: 'none',
    },
  ],
} satisfies VariableGroup;

export function toRestApiSettings(values: Values<typeof variables>): RestApiSettings {
  return {
    baseUrl: values.REVOX_BASE_URL,
    firstPage:
      values.REVOX_FIRST_PAGE === 'auto' ? 'auto' : values.REVOX_FIRST_PAGE === '0' ? 0 : 1,
    arrayFormat: values.REVOX_ARRAY_FORMAT,
    pageSize: values.REVOX_PAGE_SIZE,
    maxResponseBytes: values.REVOX_MAX_RESPONSE_BYTES,
    userAgentComment: values.REVOX_USER_AGENT_COMMENT,
    proxies: toProxies(values),
  };
}

function isPlainHttpUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, username, password, search, hash } = new URL(url);
  return (
    /^https?:$/.test(protocol) &&
    `${username}${password}${search}${hash}` === '' &&
    !/[?#\s]/.test(url)
  );
}

function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  return (
    /^(https?|socks5?):$/.test(protocol) &&
    /^\/?$/.test(pathname + search + hash) &&
    [username, password].every(isPercentEncoded)
  );
}

/** Whether the name or password can be decoded: a `%` must be written as `%25`. */
function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** The lower-case name takes precedence, as in undici and curl. */
function toProxies(values: Values<typeof variables>): ProxySettings | undefined {
  const http = values.http_proxy ?? values.HTTP_PROXY;
  const https = values.https_proxy ?? values.HTTPS_PROXY;
  return http === undefined && https === undefined ? undefined : { http, https };
}
