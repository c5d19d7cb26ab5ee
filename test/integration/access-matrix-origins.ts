import { toMeanings } from './access-matrix.ts';

/** The origin of the gateway. */
export const OWN = 'http://localhost:4000';
/** An origin of `CORS_ORIGINS`. */
export const ALLOWED = 'https://app.test';
export const SECRET = 'a-router-secret';

/** The settings that each word of a first column stands for. */
export const SETTINGS: { readonly [word: string]: { readonly [name: string]: string } } = {
  'pass-through': { REVOX_API_KEY: '' },
  service: {},
  secrets: { ROUTER_SECRETS: SECRET },
  CORS_ORIGINS: {
    CORS_ORIGINS: `https://other.test,${ALLOWED},https://*.preview.test,http://web-*.ci.test:8080,capacitor://localhost`,
  },
};

/** The `Origin` header that each word stands for. */
export const ORIGINS: { readonly [word: string]: string | undefined } = {
  none: undefined,
  null: 'null',
  "the gateway's": OWN,
  "the gateway's, with https": OWN.replace('http', 'https'),
  "the gateway's, as 127.0.0.1": OWN.replace('localhost', '127.0.0.1'),
  "the gateway's, with another port": 'http://localhost:4001',
  'an unknown origin': 'https://evil.test',
  'an allowed origin': ALLOWED,
  'an origin that starts with an allowed one': `${ALLOWED}.evil.test`,
  'an origin of a pattern': 'https://pr-7.preview.test',
  'an origin of a pattern with a prefix and a port': 'http://web-7.ci.test:8080',
  'a pattern, with two labels': 'https://a.pr-7.preview.test',
  'a pattern, without the label': 'https://.preview.test',
  'a pattern, followed by another domain': 'https://pr-7.preview.test.evil.test',
  'a pattern, after another domain': 'https://evil.test#.preview.test',
  'a pattern, with http': 'http://pr-7.preview.test',
  'a pattern, with another port': 'http://web-7.ci.test:8081',
  'an allowed app': 'capacitor://localhost',
  'an unknown app': 'capacitor://evil',
};

/** The settings that the first column of a row stands for. */
export function toSettings(row: Record<string, string>): Record<string, string> {
  const words = row.settings!.split(', ');
  return Object.assign({}, ...words.map((word) => toMeanings(SETTINGS, word)));
}
