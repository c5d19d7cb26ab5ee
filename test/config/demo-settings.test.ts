import { describe, expect, test } from 'vitest';
import {
  type Environment,
  readDemoSettings,
  readSettings,
  SettingsError,
} from '#config/settings.ts';

function demoProblemsOf(environment: Environment): readonly string[] {
  try {
    readDemoSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

describe('Settings of the demo', () => {
  test.each([
    [{}, 4001],
    [{ PORT: '5000' }, 5001],
    [{ PORT: '0' }, 0],
    [{ PORT: '65535' }, 65_534],
    [{ PORT: '5000', SANDBOX_PORT: '7000' }, 7000],
    [{ SANDBOX_PORT: '0' }, 0],
    [{ SANDBOX_PORT: '65535' }, 65_535],
  ])('SANDBOX_PORT for the environment %j is %i', (environment, port) => {
    expect(readDemoSettings(environment).sandboxPort).toBe(port);
  });

  test.each(['65536', '-1', 'x', 'tcp://10.0.0.1:4001'])(
    'SANDBOX_PORT=%s stops the demo, but no start',
    (odd) => {
      expect(demoProblemsOf({ SANDBOX_PORT: odd, PORT: 'x' })).toEqual([
        'PORT must be a port number from 0 to 65535.',
        'SANDBOX_PORT must be a port number from 0 to 65535.',
      ]);
      expect(readSettings({ SANDBOX_PORT: odd })).toEqual(readSettings({}));
    },
  );

  test('the sandbox and the gateway need different ports', () => {
    const problems = ['SANDBOX_PORT must differ from PORT.'];
    expect(demoProblemsOf({ SANDBOX_PORT: '4000' })).toEqual(problems);
    expect(demoProblemsOf({ SANDBOX_PORT: '5000', PORT: '5000' })).toEqual(problems);
    expect(demoProblemsOf({ SANDBOX_PORT: '0', PORT: '0' })).toEqual([]);
  });

  test('a misspelled SANDBOX_PORT stops the demo, but no start', () => {
    expect(demoProblemsOf({ SANDBOX_PROT: '7000' })).toEqual([
      'SANDBOX_PROT is not a setting. Did you mean SANDBOX_PORT?',
    ]);
    expect(readSettings({ SANDBOX_PROT: '7000' })).toEqual(readSettings({}));
  });

  test('the settings of a real upstream have no effect on the demo', () => {
    const real = {
      REVOX_API_KEY: 'k y',
      REVOX_BASE_URL: '?',
      REVOX_FIRST_PAGE: '7',
      REVOX_ARRAY_FORMAT: 'brackets',
    };
    expect(readDemoSettings(real)).toEqual(readDemoSettings({}));
  });

  test('the demo may require a bearer token without REVOX_API_KEY', () => {
    const jwt = {
      JWT_JWKS_URL: 'https://id.test/keys',
      JWT_ISSUER: 'https://id.test',
      JWT_AUDIENCE: 'revox',
    };
    expect(demoProblemsOf({ ...jwt, HOST: '0.0.0.0' })).toEqual([]);
  });

  test('the demo does not listen where others reach it without a credential', () => {
    expect(demoProblemsOf({ HOST: '0.0.0.0' })).toEqual([
      'HOST must be 127.0.0.1, ::1 or localhost: the demo uses its own key for every request. Set ROUTER_SECRETS to accept only requests with a secret.',
    ]);
    expect(demoProblemsOf({ HOST: '0.0.0.0', ROUTER_SECRETS: 'a-secret' })).toEqual([]);
  });
});
