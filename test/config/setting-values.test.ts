import { describe, expect, test } from 'vitest';
import { readSettings, SettingsError } from '#config/settings.ts';
import { createUndiciTransport } from '#rest/transport/undici-transport.ts';
import { NO_TIMEOUTS } from '../rest/real-server.ts';
import { faultsOf, WHOLE_NUMBERS, WORDS } from './settings-table.ts';

describe.each(WHOLE_NUMBERS)('Whole number $name', ({ name, min, max, unit, read }) => {
  const kind = unit === 'port' ? 'a port number' : `a whole number of ${unit}`;
  const problem = `${name} must be ${kind} from ${min} to ${max}.`;

  test('$name accepts only a whole number within its bounds', () => {
    expect(read(readSettings({ [name]: String(min) }))).toBe(min);
    expect(read(readSettings({ [name]: String(max) }))).toBe(max);
    expect(faultsOf({ [name]: String(max + 1) })).toEqual([problem]);
    if (min > 0) expect(faultsOf({ [name]: String(min - 1) })).toEqual([problem]);
  });

  test.each(['-1', '1.5', '1e3', '0x10', 'many', '10ms', '١٢', '1 000', 'NaN', 'Infinity'])(
    '$name rejects %s',
    (odd) => {
      expect(faultsOf({ [name]: odd })).toEqual([problem]);
    },
  );

  test('$name rejects a number of a thousand digits', () => {
    expect(faultsOf({ [name]: '9'.repeat(1000) })).toHaveLength(1);
  });
});

const WORD_ORDER: { readonly [name: string]: string } = {
  REVOX_FIRST_PAGE: 'auto, 0, 1',
  REVOX_ARRAY_FORMAT: 'comma, repeat, brackets',
  LOG_LEVEL: 'trace, debug, info, warn, error, fatal, silent',
  LOG_FORMAT: 'json, text',
};

describe.each(WORDS)('Word $name', ({ name, words, read, others = {} }) => {
  test('$name accepts each of its words', () => {
    for (const [word, value] of Object.entries(words))
      expect(read(readSettings({ ...others, [name]: word }))).toBe(value);
  });

  test('$name rejects other words', () => {
    const problem = `${name} must be one of ${WORD_ORDER[name] ?? 'on, off'}.`;
    for (const odd of ['yes', 'ON', 'Auto', '2', 'true', 'constructor', 'on,off', 'o n'])
      expect(faultsOf({ ...others, [name]: odd })).toEqual([problem]);
  });
});

describe('MAX_CONNECTIONS_PER_ADDRESS', () => {
  const read = (given: string, all = '') =>
    readSettings({ MAX_CONNECTIONS_PER_ADDRESS: given, MAX_CONNECTIONS: all })
      .maxConnectionsPerAddress;

  test('MAX_CONNECTIONS_PER_ADDRESS defaults to half of MAX_CONNECTIONS, and off removes the limit', () => {
    expect([read(''), read('', '7'), read('1'), read('5', '4'), read('off')]).toEqual([
      1_000,
      4,
      1,
      5,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test.each(['-1', 'on', 'Infinity', '1e3'])('MAX_CONNECTIONS_PER_ADDRESS rejects %s', (odd) => {
    expect(faultsOf({ MAX_CONNECTIONS_PER_ADDRESS: odd })).toEqual([
      'MAX_CONNECTIONS_PER_ADDRESS must be a whole number of connections from 1 to 1000000, or off.',
    ]);
  });
});

describe('REVOX_BASE_URL', () => {
  test.each([
    ['https://www.getrevox.com/api', 'https://www.getrevox.com/api'],
    ['https://www.getrevox.com/api/', 'https://www.getrevox.com/api'],
    ['http://localhost:4001//', 'http://localhost:4001'],
    ['http://[::1]:4001/api', 'http://[::1]:4001/api'],
    [' https://www.getrevox.com/api/ \n', 'https://www.getrevox.com/api'],
  ])('REVOX_BASE_URL accepts %s as %s', (given, read) => {
    expect(readSettings({ REVOX_BASE_URL: given }).revox.baseUrl).toBe(read);
  });

  test.each([
    'getrevox.com',
    'ftp://getrevox.com',
    'https://',
    'file:///etc/passwd',
    'https://user:secret@getrevox.com/api',
    'https://user@getrevox.com/api',
    'https://:secret@getrevox.com/api',
    'ws://x.test/api',
    'httpx://x.test/api',
    'https://x.test/api#',
    'https://x.test/api?',
    'https://x.test/api#top',
    'https://x.test/?key=1',
    'https://x.test/a pi',
    'https://x.test\n/api',
  ])('REVOX_BASE_URL rejects %s', (odd) => {
    expect(faultsOf({ REVOX_BASE_URL: odd })).toEqual([
      'REVOX_BASE_URL must be an http or https URL without user, query or fragment, for example https://www.getrevox.com/api.',
    ]);
  });
});

describe('REVOX_USER_AGENT_COMMENT', () => {
  test.each(['ops@example.com', 'production; +https://example.com', 'x'.repeat(200)])(
    'REVOX_USER_AGENT_COMMENT accepts %s',
    (comment) => {
      expect(readSettings({ REVOX_USER_AGENT_COMMENT: comment }).revox.userAgentComment).toBe(
        comment,
      );
    },
  );

  test.each(['(nested)', 'open (', 'back\\slash', 'clé', 'line\r\nx-injected: 1', 'x'.repeat(201)])(
    'REVOX_USER_AGENT_COMMENT rejects %j',
    (odd) => {
      expect(faultsOf({ REVOX_USER_AGENT_COMMENT: odd })).toEqual([
        'REVOX_USER_AGENT_COMMENT must be at most 200 characters of ASCII without parentheses and backslashes, for example ops@example.com.',
      ]);
    },
  );
});

describe('Characters of settings that are sent in headers', () => {
  const characters = Array.from({ length: 130 }, (_, code) => String.fromCharCode(code)).slice(1);

  test('REVOX_USER_AGENT_COMMENT accepts ASCII without control characters, parentheses and backslashes', () => {
    const accepted = characters.filter(
      (character) => faultsOf({ REVOX_USER_AGENT_COMMENT: `x${character}y` }).length === 0,
    );
    expect(accepted.join('')).toBe(
      ' !"#$%&\'*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~',
    );
  });

  test.each(['REVOX_API_KEY', 'ROUTER_SECRETS'])('%s accepts visible ASCII', (name) => {
    const accepted = characters.filter(
      (character) => faultsOf({ [name]: `x${character}y` }).length === 0,
    );
    expect(accepted.join('')).toBe(
      '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~',
    );
  });
});

describe('HOST', () => {
  test.each(['0.0.0.0', '::', 'fe80::1', 'gateway.internal', 'my_host-1'])(
    'HOST accepts %s',
    (host) => {
      expect(readSettings({ HOST: host }).host).toBe(host);
    },
  );

  test.each(['http://0.0.0.0', 'a b', '[::1]', 'a/b', 'a,b', 'é', 'a@b'])(
    'HOST rejects %s',
    (odd) => {
      expect(faultsOf({ HOST: odd })).toEqual([
        'HOST must be an address or a name to listen on, for example 127.0.0.1.',
      ]);
    },
  );
});

describe('Secrets', () => {
  test('ROUTER_SECRETS accepts a list of secrets', () => {
    expect(
      readSettings({ ROUTER_SECRETS: 'a-secret-of-16-ch, another-secret-of-more' }).routerSecrets,
    ).toEqual(['a-secret-of-16-ch', 'another-secret-of-more']);
  });

  test.each([
    'a-secret,',
    ',a-secret',
    'a-secret,,a-secret',
    'with blanks in the middle',
    'énough-secret-with-an-accent',
  ])('ROUTER_SECRETS rejects %s', (odd) => {
    expect(faultsOf({ ROUTER_SECRETS: odd })).toEqual([
      'ROUTER_SECRETS must be a comma-separated list of secrets, each of visible ASCII without spaces.',
    ]);
  });

  test('WEBHOOK_SECRETS accepts a list of secrets that need no encoding in a path', () => {
    const secrets = ['webhook-secret-0123456789-abcdef', 'Webhook.Secret_0123456789~ABCDEFG'];
    expect(readSettings({ WEBHOOK_SECRETS: secrets.join(', ') }).live.webhookSecrets).toEqual(
      secrets,
    );
  });

  test.each([
    'short',
    'webhook-secret-0123456789-abcde',
    'webhook-secret-0123456789-abcdef,short',
    'webhook-secret-0123456789-abcdef,',
    'webhook/secret/0123456789/abcdefg',
    'webhook%2Dsecret-0123456789-abcdef',
    'webhook-secret-0123456789-äöüabcdef',
  ])('WEBHOOK_SECRETS rejects %s, without showing it', (odd) => {
    expect(faultsOf({ WEBHOOK_SECRETS: odd })).toEqual([
      'WEBHOOK_SECRETS must be a comma-separated list of secrets, each of at least 32 of the characters A-Z a-z 0-9 - . _ ~.',
    ]);
  });

  test.each(['two words', 'clé', 'sk_\u0000'])('REVOX_API_KEY rejects %j', (odd) => {
    expect(faultsOf({ REVOX_API_KEY: odd })).toEqual([
      'REVOX_API_KEY must be visible ASCII without spaces, because it is sent in a header.',
    ]);
  });

  test('CACHE_SECRET rejects a secret that is too short', () => {
    expect(readSettings({ CACHE_SECRET: 'sixteen letters!' }).cache.secret).toBe(
      'sixteen letters!',
    );
    expect(faultsOf({ CACHE_SECRET: 'fifteen letters' })).toEqual([
      'CACHE_SECRET must be at least 16 characters that cannot be guessed.',
    ]);
  });

  test.each([
    'redis://127.0.0.1:6379',
    'rediss://user:password@cache.internal/2',
    'redis://[::1]/',
    'REDIS://h',
    'redis://us%40er:pass%25@h/12345',
  ])('REDIS_URL accepts %s', (url) => {
    expect(readSettings({ REDIS_URL: url }).cache.redisUrl).toBe(url);
  });

  test.each([
    '127.0.0.1:6379',
    'redis://',
    'http://127.0.0.1',
    'redis',
    'redis://h/db',
    'redis://h/123456',
    'redis://h/1/2',
    'redisx://h',
    'redis+sentinel://h',
    'redis://us%fer@h',
    'redis://user:%ff@h',
  ])('REDIS_URL rejects %s', (odd) => {
    expect(faultsOf({ REDIS_URL: odd })).toEqual([
      'REDIS_URL must be a redis or rediss URL, for example redis://127.0.0.1:6379.',
    ]);
  });

  test('no message contains a secret or any other value', () => {
    const values = {
      REVOX_API_KEY: 'the key itself',
      ROUTER_SECRETS: 'the secret',
      REVOX_BASE_URL: 'https://user:password@host.test',
      HOST: 'the host',
      PORT: 'the-port',
      REVOX_FIRST_PAGE: 'the-page',
      GRAPHIQL: 'the-switch',
    };
    const error = new SettingsError(faultsOf(values));
    expect(error.problems.length).toBeGreaterThanOrEqual(Object.keys(values).length);
    for (const value of Object.values(values)) expect(error.message).not.toContain(value);
    expect(error.message).not.toContain('password');
  });
});

describe('CORS_ORIGINS', () => {
  test('CORS_ORIGINS accepts a list of origins', () => {
    expect(
      readSettings({ CORS_ORIGINS: 'https://app.test, http://localhost:3000' }).corsOrigins,
    ).toEqual(['https://app.test', 'http://localhost:3000']);
  });

  test.each([
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://0b3f2c1e-1111-2222-3333-444455556666',
    'safari-web-extension://0B3F2C1E-1111-2222-3333-444455556666',
    'app://obsidian.md',
    'https://*.app.test',
    'https://*.app.test:8443',
    'http://*.localhost:3000',
    'https://web-*.app.test',
    'https://*-team.vercel.app',
    'https://deploy-preview-*--site.netlify.app',
  ])('CORS_ORIGINS accepts %s', (origin) => {
    expect(readSettings({ CORS_ORIGINS: origin }).corsOrigins).toEqual([origin]);
  });

  test.each([
    '*',
    'null',
    'app.test',
    'https://app.test/',
    'https://app.test/page',
    'https://APP.test',
    'https://*.app.test/',
    'https://*.*.app.test',
    'https://**.app.test',
    'https://a.*.app.test',
    'https://app.*.test',
    'https://*',
    'https://*.test',
    'https://app*',
    'https://*.0.0.1',
    'https://*.app.test:443',
    'https://user@*.app.test',
    '*://*.app.test',
    'https*://app.test',
    'https://app.test:*',
    'chrome-extension://*',
    'capacitor://localhost/',
    'capacitor:localhost',
    'Capacitor://localhost',
    'file://',
    'file://localhost',
    'ws://app.test',
  ])('CORS_ORIGINS rejects %s', (odd) => {
    expect(faultsOf({ CORS_ORIGINS: odd })).toEqual([
      'CORS_ORIGINS must be a comma-separated list of origins without a path, for example https://app.example.com, https://*.example.com or capacitor://localhost.',
    ]);
  });
});

describe.each(['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'])('Proxy %s', (name) => {
  test.each([
    'http://proxy.test:3128',
    'http://proxy.test:3128/',
    'https://user:pass@proxy.test',
    'https://user:100%25@proxy.test',
    'socks5://proxy.test:1080',
    'socks://proxy.test:1080',
  ])(`${name} accepts %s, and undici does, too`, async (url) => {
    expect(faultsOf({ [name]: url })).toEqual([]);
    await createUndiciTransport({
      ...NO_TIMEOUTS,
      proxies: readSettings({ [name]: url }).revox.proxies,
    }).close();
  });

  test(`${name} counts as absent when it is blank`, () => {
    expect(readSettings({ [name]: ' ' }).revox.proxies).toBeUndefined();
  });

  test.each([
    'proxy.test',
    'proxy.test:3128',
    'localhost:8080',
    '10.0.0.1:3128',
    '[::1]:3128',
    'user:pass@proxy.test:3128',
    '//proxy.test:3128',
    'http://',
    'http://proxy.test:99999',
    'http://user:100%@proxy.test',
    'http://us%er@proxy.test',
    'socks4://proxy.test:1080',
    'socks5h://proxy.test:1080',
    'http://proxy.test/#fragment',
    'ws://proxy.test',
    'http://proxy.test/path',
    'http://proxy.test?query',
    'ftp://user:pass@proxy.test',
  ])(`${name} rejects %s, which undici would reject with the value in its message`, (odd) => {
    expect(faultsOf({ [name]: odd })).toEqual([
      `${name} must be an http, https or socks5 URL without a path, for example http://proxy.example.com:3128.`,
    ]);
  });
});

describe('Several proxies', () => {
  test.each([
    [{ HTTP_PROXY: 'http://a.test' }, { http: 'http://a.test' }],
    [{ HTTPS_PROXY: 'http://a.test' }, { https: 'http://a.test' }],
    [
      { HTTP_PROXY: 'http://a.test', HTTPS_PROXY: 'http://b.test' },
      { http: 'http://a.test', https: 'http://b.test' },
    ],
    [{ http_proxy: 'http://c.test', HTTP_PROXY: 'http://a.test' }, { http: 'http://c.test' }],
    [{ https_proxy: 'http://c.test', HTTPS_PROXY: 'http://a.test' }, { https: 'http://c.test' }],
  ])('the proxies of %j are %j', (environment: Record<string, string>, proxies) => {
    expect(readSettings(environment).revox.proxies).toEqual({
      http: undefined,
      https: undefined,
      ...proxies,
    });
  });
});
