import {
  ANY_TEXT,
  isHeaderText,
  listOf,
  optionalVariable,
  text,
  type Values,
  type VariableGroup,
  variable,
} from '#config/variable.ts';
import { isLoopbackUrl } from './listening.ts';

export interface AuthenticationSettings {
  /**
   * A request with one of them in `Router-Authorization` is accepted. Empty: no secret is required.
   */
  readonly routerSecrets: readonly string[];
  /**
   * Service mode: a bearer token that was issued for this gateway is accepted too. Absent: no
   * bearer token is.
   */
  readonly jwt: JwtSettings | undefined;
}

export interface JwtSettings {
  /** Where the issuer publishes its keys (JWKS). */
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  /** A token must grant all of them. Empty: no scope is required. */
  readonly scopes: readonly string[];
}

/** Whether a text can be an API key. */
export const isApiKey = isHeaderText;

const API_KEY = {
  ...text('visible ASCII without spaces, because it is sent in a header', isHeaderText),
  secret: 'value',
} as const;
const SECRETS = {
  ...listOf('secrets, each of visible ASCII without spaces', isHeaderText),
  secret: 'list',
} as const;
const JWKS_URL = text(
  'an https URL (http only for this machine) without user or fragment',
  isJwksUrl,
);

const variables = {
  REVOX_API_KEY: optionalVariable(
    API_KEY,
    "The gateway's own key (service mode). Absent: each request brings its own key (pass-through mode).",
  ),
  ROUTER_SECRETS: variable(
    SECRETS,
    [],
    'A request must carry one of them in `Router-Authorization`, else it gets 401 (with `JWT_…` set: a secret or a token). `/health`, `/ready`, `/metrics` and the GraphiQL page are exempt.',
  ),
  JWT_JWKS_URL: optionalVariable(
    JWKS_URL,
    'Service mode: also accept bearer tokens that are signed with a key of the key set at this URL.',
  ),
  JWT_ISSUER: optionalVariable(ANY_TEXT, 'The issuer of accepted bearer tokens.'),
  JWT_AUDIENCE: optionalVariable(ANY_TEXT, 'The audience of accepted bearer tokens.'),
  JWT_SCOPE: optionalVariable(
    ANY_TEXT,
    'Scopes, separated by blanks. A bearer token must grant all of them.',
  ),
};

export const authentication = {
  title: 'Authentication',
  introduction: '[Authentication](../guides/authentication.md) explains the modes.',
  variables,
} satisfies VariableGroup;

export function toAuthenticationSettings(values: Values<typeof variables>): AuthenticationSettings {
  return { routerSecrets: values.ROUTER_SECRETS, jwt: toJwtSettings(values) };
}

function toJwtSettings({
  JWT_JWKS_URL: jwksUrl,
  JWT_ISSUER: issuer,
  JWT_AUDIENCE: audience,
  JWT_SCOPE: scope = '',
}: Values<typeof variables>): JwtSettings | undefined {
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) return undefined;
  return { jwksUrl, issuer, audience, scopes: scope.split(/\s+/).filter((name) => name !== '') };
}

/**
 * The server at this URL decides which tokens are accepted, so the connection to it must be secure.
 */
function isJwksUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const parsed = new URL(url);
  const { protocol, username, password, hash } = parsed;
  if (`${username}${password}${hash}` !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackUrl(parsed));
}
