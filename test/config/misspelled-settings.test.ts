import { describe, expect, test } from 'vitest';
import { editDistance } from '#config/edit-distance.ts';
import {
  type Environment,
  readDemoSettings,
  readSettingNotices,
  readSettings,
  SettingsError,
} from '#config/settings.ts';
import { gatewaySettingNames } from '#config/variables.ts';
import { PLATFORM_ENVIRONMENTS } from './platform-environments.ts';

function problemsOf(
  environment: Environment,
  read: (environment: Environment) => unknown = readSettings,
): readonly string[] {
  try {
    read(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('Misspelled settings', () => {
  test.each([
    ['ROUTER_SECRET', 'Did you mean ROUTER_SECRETS?'],
    ['WEBHOOK_SECRET', 'Did you mean WEBHOOK_SECRETS?'],
    ['REVOX_API_KEYS', 'Did you mean REVOX_API_KEY?'],
    ['REVOX_APIKEY', 'Did you mean REVOX_API_KEY?'],
    ['REVOX_KEY', 'Did you mean REVOX_API_KEY?'],
    ['REVOX_URL', 'Did you mean REVOX_BASE_URL?'],
    ['REVOX_PAGESIZE', 'Did you mean REVOX_PAGE_SIZE?'],
    ['REVOX_TIMEOUT', 'Did you mean REVOX_TIMEOUT_MS?'],
    ['REQUEST_DEADLINE', 'Did you mean REQUEST_DEADLINE_MS?'],
    ['JWT_JWKS_URI', 'Did you mean JWT_JWKS_URL?'],
    ['JWT_AUDEINCE', 'Did you mean JWT_AUDIENCE?'],
    ['CORS_ORIGIN', 'Did you mean CORS_ORIGINS?'],
    ['CACHE_SECRETS', 'Did you mean CACHE_SECRET?'],
    ['CACHE_BYTES', 'Did you mean CACHE_MAX_BYTES?'],
    ['REDIS_URI', 'Did you mean REDIS_URL?'],
    ['REDIS_SENTINEL', 'Did you mean REDIS_SENTINELS?'],
    ['KEEP_ALIVE_TIMEOUT', 'Did you mean KEEP_ALIVE_TIMEOUT_MS?'],
    ['TRUSTED_DOCUMENT', 'Did you mean TRUSTED_DOCUMENTS?'],
    ['LOG_LEVLE', 'Did you mean LOG_LEVEL?'],
    ['LOGLEVEL', 'Did you mean LOG_LEVEL?'],
    ['BASEPATH', 'Did you mean BASE_PATH?'],
    ['GRAPHQIL', 'Did you mean GRAPHIQL?'],
    ['PROT', 'Did you mean PORT?'],
    ['HSOT', 'Did you mean HOST?'],
    ['revox_api_key', 'Did you mean REVOX_API_KEY?'],
    ['Router_Secrets', 'Did you mean ROUTER_SECRETS?'],
    ['REVOX-API-KEY', 'Did you mean REVOX_API_KEY?'],
    [
      'JWT_PUBLIC_KEY',
      'The settings that begin with JWT_ are JWT_JWKS_URL, JWT_ISSUER, JWT_AUDIENCE, JWT_SCOPE.',
    ],
    ['CORS_HEADERS', 'Only the setting CORS_ORIGINS begins with CORS_.'],
    ['MAX_CONCURRENCY', 'Did you mean REVOX_MAX_CONCURRENCY?'],
    ['REVOX_LOG_LEVEL', 'Did you mean LOG_LEVEL?'],
    ['REVOX_ROUTER_SECRETS', 'Did you mean ROUTER_SECRETS?'],
    ['REVOX_GATEWAY_BASE_URL', 'Did you mean REVOX_BASE_URL?'],
    [
      'REVOX_ORGANIZATION',
      'docs/reference/configuration.md lists the settings that begin with REVOX_.',
    ],
  ])('%s is refused with the advice "%s"', (name, advice) => {
    expect(problemsOf({ [name]: 'a-value' })).toEqual([`${name} is not a setting. ${advice}`]);
  });

  test('every setting of ten letters or more is found when one letter is missing, added, changed or swapped', () => {
    const missed = gatewaySettingNames
      .filter((name) => name.length >= 10)
      .flatMap((name) => [
        name.slice(0, -1),
        `${name}S`,
        `${name.slice(0, 3)}${name.slice(4)}`,
        `${name.slice(0, 2)}X${name.slice(3)}`,
        `${name.slice(0, -2)}${name.at(-1)}${name.at(-2)}`,
      ])
      .filter((name) => !gatewaySettingNames.includes(name))
      .filter((name) => problemsOf({ [name]: 'x' }).length !== 1);
    expect(missed).toEqual([]);
  });

  test('a misspelled setting is reported with all other problems, and without its value', () => {
    expect(problemsOf({ PORT: 'x', ROUTER_SECRET: 'the-secret', REVOX_API_KEY: 'k y' })).toEqual([
      'ROUTER_SECRET is not a setting. Did you mean ROUTER_SECRETS?',
      'PORT must be a port number from 0 to 65535.',
      'REVOX_API_KEY must be visible ASCII without spaces, because it is sent in a header.',
    ]);
  });

  test('a misspelled setting without a value has no effect', () => {
    expect(problemsOf({ ROUTER_SECRET: ' ' })).toEqual([]);
  });

  test('characters that a terminal does not show are no part of the message', () => {
    expect(problemsOf({ 'REVOX_API_KEY\u200b': 'k' })).toEqual([
      'REVOX_API_KEY? is not a setting. Did you mean REVOX_API_KEY?',
    ]);
  });

  test.each(Object.entries(PLATFORM_ENVIRONMENTS))(
    'the environment of %s stops neither a start nor the demo',
    (_, environment) => {
      expect(problemsOf(environment)).toEqual([]);
      expect(problemsOf(environment, readDemoSettings)).toEqual([]);
    },
  );

  test.each(['POST', 'SORT', 'HOSTS', 'PORTS', 'HOME', 'FTP_PROXY', 'FAST_PATH', 'BASE_URL'])(
    'the variable %s of another program is no misspelled setting',
    (name) => {
      expect(problemsOf({ [name]: 'x' })).toEqual([]);
    },
  );

  test.each([
    ['', '', 0],
    ['PORT', 'PORT', 0],
    ['', 'ab', 2],
    ['PROT', 'PORT', 1],
    ['SORT', 'PORT', 1],
    ['ROUTER_SECRET', 'ROUTER_SECRETS', 1],
    ['abcd', 'badc', 2],
    ['kitten', 'sitting', 3],
  ])('the distance from "%s" to "%s" is %i, in both directions', (from, to, distance) => {
    expect([editDistance(from, to), editDistance(to, from)]).toEqual([distance, distance]);
  });
});

describe('Quotation marks and blanks of values', () => {
  test.each([
    ['REVOX_API_KEY', '"sk_key"'],
    ['REVOX_API_KEY', "'sk_key'"],
    ['REVOX_API_KEY', '“sk_key”'],
    ['REVOX_API_KEY', '"sk_key'],
    ['REVOX_API_KEY', 'sk_key"\n'],
    ['REVOX_API_KEY', '"sk key"'],
    ['ROUTER_SECRETS', '"secret-a,secret-b"'],
    ['ROUTER_SECRETS', 'secret-a,"secret-b",secret-c'],
    ['CACHE_SECRET', '"sixteen letters!"'],
    ['REDIS_URL', '"redis://127.0.0.1:6379"'],
    ['JWT_ISSUER', '"https://id.test"'],
    ['PORT', '"4000"'],
    ['TRUSTED_DOCUMENTS', "'./documents'"],
  ])('%s must not have quotation marks around it: %j', (name, value) => {
    const problems = problemsOf({ REVOX_API_KEY: 'k', ...JWT, [name]: value });
    expect(problems).toEqual([
      `${name} must not begin or end with a quotation mark: it would be part of the value.`,
    ]);
  });

  test.each([
    ['CACHE_SECRET', 'sixteen "letters" and more'],
    ['REVOX_USER_AGENT_COMMENT', 'they say "hello"'],
  ])('%s may have quotation marks within it: %j', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([]);
  });

  test.each([
    ['REVOX_API_KEY', 'sk_first\nsk_second'],
    ['ROUTER_SECRETS', 'secret-a\nsecret-b'],
    ['CACHE_SECRET', 'sixteen letters!\r\nand others'],
    ['REDIS_URL', 'redis://127.0.0.1\n:6379'],
  ])('%s must not have a line break within it: %j', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([`${name} must not contain a line break.`]);
  });

  test.each(['\n', '\r\n', ' ', '\t'])(
    'a secret is used without %j around it, and a sentence says so',
    (blank) => {
      const environment = Object.fromEntries(
        Object.entries(SECRETS).map(([name, value]) => [name, `${blank}${value}${blank}`]),
      );
      expect(readSettings(environment)).toEqual(readSettings(SECRETS));
      const what = /[\r\n]/.test(blank) ? 'a line break' : 'a space';
      expect(readSettingNotices(environment)).toEqual(
        Object.keys(SECRETS).map(
          (name) => `${name} begins or ends with ${what}, which the gateway ignores.`,
        ),
      );
    },
  );

  test('blanks and line breaks around every other setting have no effect', () => {
    const environment = {
      PORT: ' 4100 ',
      HOST: '127.0.0.1\r\n',
      LOG_LEVEL: '\tdebug',
      GRAPHIQL: 'off ',
      JWT_ISSUER: ' https://id.test ',
      JWT_JWKS_URL: 'https://id.test/keys\n',
      JWT_AUDIENCE: ' revox',
      REVOX_API_KEY: 'k',
    };
    const trimmed = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, value.trim()]),
    );
    expect(readSettings(environment)).toEqual(readSettings(trimmed));
    expect(readDemoSettings({ SANDBOX_PORT: ' 7000\n' }).sandboxPort).toBe(7000);
  });

  test('secrets without blanks around them need no sentence', () => {
    expect(readSettingNotices({ ...SECRETS, CORS_ORIGINS: ' https://a.test ' })).toEqual([]);
  });
});

const JWT = {
  JWT_JWKS_URL: 'https://id.test/keys',
  JWT_ISSUER: 'https://id.test',
  JWT_AUDIENCE: 'revox',
};

const SECRETS = {
  REVOX_API_KEY: 'sk_key',
  ROUTER_SECRETS: 'secret-a, secret-b',
  CACHE_SECRET: 'sixteen letters!',
  REDIS_URL: 'redis://:password@mymaster',
  REDIS_SENTINELS: 'redis://127.0.0.1:26379',
};
