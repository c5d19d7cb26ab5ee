import { SignJWT } from 'jose';
import { KEY_A, KEY_B } from '../support/test-gateway.ts';
import {
  AUDIENCE,
  createKey,
  createTokenIssuer,
  ISSUER,
  JWT_SETTINGS,
  sign,
  toFetchKeys,
  toJwk,
  VALID_CLAIMS,
} from '../support/token-issuer.ts';
import { toMeanings } from './access-matrix.ts';

const SECRET = 'a-router-secret';
const NEXT_SECRET = 'the-next-router-secret';

const [key, nextKey, unknownKey] = [
  await createKey('one'),
  await createKey('two', 'RS256'),
  await createKey('three'),
];
/** Publishes the keys of the valid tokens. */
export const issuer = createTokenIssuer(key, nextKey);

/** The settings that each word of the first column stands for. */
export const SETTINGS: { readonly [word: string]: { readonly [name: string]: string } } = {
  'pass-through': { REVOX_API_KEY: '' },
  service: { REVOX_API_KEY: KEY_A },
  secrets: { ROUTER_SECRETS: `${SECRET},${NEXT_SECRET}` },
  tokens: JWT_SETTINGS,
  // These words describe upstream and issuer failures, not settings.
  'rejected by Revox': {},
  'issuer down': {},
};

/** Tokens expire after this time, in seconds. */
export const TOKEN_LIFETIME_S = 30;

const expiresSoon = () => Math.floor(Date.now() / 1000) + TOKEN_LIFETIME_S;
const before = () => Math.floor(Date.now() / 1000) - 300;
const good = () => ({ ...VALID_CLAIMS, exp: expiresSoon() });
const without = (claim: 'iss' | 'aud' | 'scope' | 'exp') => ({ ...good(), [claim]: undefined });

/** The `Authorization` header that each word of the second column stands for. */
export const AUTHORIZATIONS: {
  readonly [word: string]: () => string | undefined | Promise<string>;
} = {
  none: () => undefined,
  'a Revox key': () => `Bearer ${KEY_B}`,
  'a Revox key, scheme in capitals': () => `BEARER ${KEY_B}`,
  'a key that Revox rejects': () => 'Bearer sk_unknown',
  'a key without access to the object': () => 'Bearer sk_without_access',
  'a Revox key as Basic': () => `Basic ${Buffer.from(`${KEY_B}:`).toString('base64')}`,
  'a Revox key without a scheme': () => KEY_B,
  'two keys': () => `Bearer ${KEY_A} ${KEY_B}`,
  'Bearer without a value': () => 'Bearer ',
  'a secret': () => `Bearer ${SECRET}`,
  'a token': () => bearer(sign(key, good())),
  'a token without a scheme': () => sign(key, good()),
  'a token with the scope in a list': () =>
    bearer(sign(key, { ...without('scope'), scp: ['calls:list', 'calls:read'] })),
  'a token for several audiences': () =>
    bearer(sign(key, { ...good(), aud: ['https://other.test', AUDIENCE] })),
  "a token signed with the issuer's next key": () => bearer(sign(nextKey, good())),
  'a token without a key id': () => bearer(sign(key, good(), { kid: undefined })),
  'an expired token': () => bearer(sign(key, { ...good(), exp: before() })),
  'a token without an expiry': () => bearer(sign(key, without('exp'))),
  'a token not valid yet': () => bearer(sign(key, { ...good(), nbf: expiresSoon() })),
  'a token from another issuer': () => bearer(sign(key, { ...good(), iss: `${ISSUER}x` })),
  'a token without an issuer': () => bearer(sign(key, without('iss'))),
  'a token for another audience': () => bearer(sign(key, { ...good(), aud: 'https://other.test' })),
  'a token without an audience': () => bearer(sign(key, without('aud'))),
  'a token with another scope': () => bearer(sign(key, { ...good(), scope: 'calls:read:list' })),
  'a token with a part of the scopes': () => bearer(sign(key, { ...good(), scope: 'calls:read' })),
  'a token without a scope': () => bearer(sign(key, without('scope'))),
  'an unsigned token': () =>
    bearer(Promise.resolve(`${toPart({ alg: 'none', kid: key.kid })}.${toPart(good())}.`)),
  'a token signed with the public key': async () => {
    const secret = new TextEncoder().encode(JSON.stringify(await toJwk(key)));
    return bearer(
      new SignJWT(good()).setProtectedHeader({ alg: 'HS256', kid: key.kid }).sign(secret),
    );
  },
  'a token signed with an unknown key': () => bearer(sign(unknownKey, good())),
  'a token that contains its own key': async () =>
    bearer(
      sign(unknownKey, good(), { jwk: await toJwk(unknownKey), jku: 'https://evil.test/keys' }),
    ),
  'a token signed with another key under a known key id': () =>
    bearer(sign(unknownKey, good(), { kid: key.kid })),
  'a modified token': async () => {
    const [header, , signature] = (await sign(key, { ...good(), scope: '' })).split('.');
    return bearer(Promise.resolve(`${header}.${toPart(good())}.${signature}`));
  },
};

/** The `Router-Authorization` header that each word of the third column stands for. */
export const SECRETS: { readonly [word: string]: string | undefined } = {
  none: undefined,
  'a secret': SECRET,
  'the next secret': NEXT_SECRET,
  'a wrong secret': 'a-router-secreT',
  'a secret in capitals': SECRET.toUpperCase(),
  'a truncated secret': SECRET.slice(0, -1),
  'both secrets': `${SECRET}, ${NEXT_SECRET}`,
  'Bearer and a secret': `Bearer ${SECRET}`,
  'an empty value': '',
  'a Revox key': KEY_B,
};

/** The request that a row of the table stands for, and the gateway that gets it. */
export interface AccessRow {
  readonly settings: Record<string, string>;
  readonly headers: Record<string, string>;
  /** Responds in place of the issuer of the tokens. */
  readonly fetchKeys: ReturnType<typeof toFetchKeys>;
  /** With which status the upstream rejects the credential. Undefined: it accepts it. */
  readonly upstreamStatus: number | undefined;
  /** The `Authorization` header of the upstream requests. Undefined: there must be none. */
  readonly sentAuthorization: string | undefined;
}

/** Looks up the words of a row. */
export async function toAccessRow(row: Record<string, string>): Promise<AccessRow> {
  const words = row.settings!.split(', ');
  const authorization = await toMeanings(AUTHORIZATIONS, row.Authorization)();
  const secret = toMeanings(SECRETS, row['Router-Authorization']);
  const down = { ...issuer, respond: async () => new Response(null, { status: 500 }) };
  const bearerOf: { readonly [word: string]: string | undefined } = {
    none: undefined,
    "the caller's key": authorization?.replace(/^bearer/i, 'Bearer'),
    "the gateway's key": `Bearer ${KEY_A}`,
  };
  return {
    settings: Object.assign({}, ...words.map((word) => toMeanings(SETTINGS, word))),
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(secret === undefined ? {} : { 'router-authorization': secret }),
    },
    fetchKeys: toFetchKeys(words.includes('issuer down') ? down : issuer),
    upstreamStatus: words.includes('rejected by Revox')
      ? 401
      : row.Authorization === 'a key without access to the object'
        ? 403
        : undefined,
    sentAuthorization: toMeanings(bearerOf, row['credential sent to Revox']),
  };
}

async function bearer(token: Promise<string>): Promise<string> {
  return `Bearer ${await token}`;
}

function toPart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
