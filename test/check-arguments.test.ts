import { describe, expect, test } from 'vitest';
import * as gatewayExports from '#index.ts';
import * as sandboxExports from '#sandbox/index.ts';

/** The functions as code without types calls them. */
type Untyped<Exports> = {
  readonly [Name in keyof Exports]: Exports[Name] extends (...args: never[]) => infer Result
    ? (...args: unknown[]) => Result
    : Exports[Name];
};

const { createGateway, readSettings, toNodeHandler } = gatewayExports as Untyped<
  typeof gatewayExports
>;
const { createDemoEndpoints, createSandbox, sampleIds, serveSandbox } = sandboxExports as Untyped<
  typeof sandboxExports
>;

const settings = readSettings({ REVOX_API_KEY: 'sk_demo_a' });
const sandbox = createSandbox();
const control = sandbox.control as Untyped<typeof sandbox.control>;

describe('A wrong argument of an exported function', () => {
  test.each<[string, () => unknown, string]>([
    [
      'createGateway without settings',
      () => createGateway(),
      'The first argument of createGateway must be the settings that `readSettings()` returns. It is undefined.',
    ],
    [
      'createGateway with the environment',
      () => createGateway({ REVOX_API_KEY: 'sk_secret' }),
      'The first argument of createGateway must be the settings that `readSettings()` returns. It is an object.',
    ],
    [
      'createGateway with a misspelled option',
      () => createGateway(settings, { fetcher: fetch }),
      'createGateway has no option `fetcher`. Its options are fetch, fetchKeys, exampleOperations, log, tracerProvider, processMetrics, fastPath, plannedExecution, responseCache, now, monotonicNow, startTimer, random.',
    ],
    [
      'createGateway with a log that lacks a method',
      () => createGateway(settings, { log: { info() {}, error() {} } }),
      'The option `log` of createGateway must be an object with the methods info, error and unexpected. It is an object.',
    ],
    [
      'createGateway with options that are no object',
      () => createGateway(settings, fetch),
      'The options of createGateway must be an object. They are a function.',
    ],
    [
      'readSettings with the name of a file',
      () => readSettings('.env'),
      "The argument of readSettings must be an object of settings as text, such as { REVOX_BASE_URL: '…' }. It is a text.",
    ],
    [
      'readSettings with a number',
      () => readSettings({ REVOX_API_KEY: 'sk_demo_a', PORT: 4000 }),
      "Invalid settings:\n  PORT must be a text, as in the environment: { PORT: '…' }.",
    ],
    [
      'toNodeHandler with the gateway',
      () => toNodeHandler({ fetch }),
      'The argument of toNodeHandler must be the function `gateway.fetch`. It is an object.',
    ],
    [
      'createSandbox with a misspelled option',
      () => createSandbox({ basepath: '/api' }),
      'createSandbox has no option `basepath`. Its options are seed, startedAt, now, startTimer, basePath, firstPage, clampsPageNumber, maxPageSize, capOffset, fixedPageSize, oldestFirst, wrapsAssistant, arrayFormat, ignoresStatuses, acceptsAnyKey, sendsDate, version, live, webhooks.',
    ],
    [
      'createSandbox with a number out of range',
      () => createSandbox({ firstPage: 2 }),
      'The option `firstPage` of createSandbox must be 0 or 1. It is 2.',
    ],
    [
      'createSandbox with a path that ends with a slash',
      () => createSandbox({ basePath: '/api/' }),
      'The option `basePath` of createSandbox must be a path that begins with a slash and does not end with one, or an empty text. It is a text.',
    ],
    [
      'createSandbox with a date',
      () => createSandbox({ startedAt: new Date(0) }),
      'The option `startedAt` of createSandbox must be a whole number, 0 or more. It is an object.',
    ],
    [
      'sampleIds without a sandbox',
      () => sampleIds(undefined),
      'The argument of sampleIds must be a sandbox, which `createSandbox()` returns. It is undefined.',
    ],
    [
      'createDemoEndpoints with options',
      () => createDemoEndpoints({ live: true }),
      'The first argument of createDemoEndpoints must be a sandbox, which `createSandbox()` returns. It is an object.',
    ],
    [
      'a fault with a path without a slash',
      () => control.fail('call/', { status: 503 }),
      'The requests of a fault must be the start of a path after /api, such as "/call/", a regular expression or a function. It is a text.',
    ],
    [
      'a fault with a status that is none',
      () => control.fail('/call/', { status: 1000 }),
      'The option `status` of `fail` must be a whole number from 200 to 599. It is 1000.',
    ],
    [
      'a fault with the base path, which would match no request',
      () => control.fail('/api/call/', { status: 503 }),
      'The requests of a fault must be the start of a path after /api, such as "/call/", a regular expression or a function. It is a text.',
    ],
    [
      'attempts to insert that are a text',
      () => control.insertAttempts('sk_demo_a', 'x'),
      'The options of `insertAttempts` must be an object. They are a text.',
    ],
    [
      'attempts to insert without a position',
      () => control.insertAttempts('sk_demo_a', { count: 2 }),
      'The option `at` of `insertAttempts` must be a whole number, 0 or more. It is undefined.',
    ],
    [
      'rows to insert with a misspelled option',
      () => control.insertRows('sk_demo_a', 'c', { at: 0, size: 2 }),
      '`insertRows` has no option `size`. Its options are at, count, items.',
    ],
    [
      'a fault without a status',
      () => control.fail('/call/', {}),
      'The option `status` of `fail` must be a whole number from 200 to 599. It is undefined.',
    ],
    [
      'a fault without options',
      () => control.fail('/call/'),
      'The options of `fail` must be an object. They are undefined.',
    ],
    [
      'a fault with a misspelled option',
      () => control.fail('/call/', { status: 503, time: 1 }),
      '`fail` has no option `time`. Its options are status, body, headers, times.',
    ],
    [
      'a fault with a header that cannot be sent',
      () => control.fail('/call/', { status: 503, headers: { 'retry after': '1' } }),
      'The option `headers` of `fail` must be an object of names and values that HTTP permits, such as { "retry-after": "40" }. It is an object.',
    ],
    [
      'a body that is no text',
      () => control.corrupt('/call/', { call: null }),
      'The body of `corrupt` must be a text or bytes. It is an object.',
    ],
    [
      'a call with a misspelled time',
      () => control.startCall('sk_demo_a', { queuems: 1 }),
      '`startCall` has no option `queuems`. Its options are queueMs, ringMs, talkMs.',
    ],
    [
      'a call with a negative time',
      () => control.startCall('sk_demo_a', { queueMs: -1 }),
      'The option `queueMs` of `startCall` must be milliseconds, 0 or more. It is -1.',
    ],
    [
      'a fault that never applies',
      () => control.reset('/call/', 0),
      '`times` of a fault must be a whole number, 1 or more, or Infinity. It is 0.',
    ],
    [
      'a delay of a text',
      () => control.delay('/call/', '3s'),
      'The time of a delay must be milliseconds, 0 or more, or a promise. It is a text.',
    ],
    [
      'a change that is no function',
      () => control.transform('/call/', { status: 'on-hold' }),
      'The change of a response must be a function. It is an object.',
    ],
    [
      'a version that the API does not have',
      () => control.respondAs('0.3.0'),
      'The version of the API must be "oldest", "0.0.2", "documented", "later" or "0.5.0". It is a text.',
    ],
    [
      'a key that the sandbox does not have',
      () => control.data('sk_demo_c'),
      'No organization of the sandbox has the key sk_demo_c. The keys are sk_demo_a and sk_demo_b.',
    ],
  ])('%s: the message says what would be right', (_, call, message) => {
    expect(call).toThrow(expect.objectContaining({ message }));
  });

  test.each<[string, unknown[], string]>([
    [
      'no sandbox',
      [undefined, { host: '127.0.0.1', port: 0 }],
      'The first argument of serveSandbox must be a sandbox, which `createSandbox()` returns. It is undefined.',
    ],
    ['no address', [sandbox], 'The options of serveSandbox must be an object. They are undefined.'],
    [
      'no port',
      [sandbox, { host: '127.0.0.1' }],
      'The option `port` of serveSandbox must be a whole number from 0 to 65535. It is undefined.',
    ],
    [
      'a port of text',
      [sandbox, { host: '127.0.0.1', port: '4001' }],
      'The option `port` of serveSandbox must be a whole number from 0 to 65535. It is a text.',
    ],
  ])('serveSandbox with %s rejects', async (_, args, message) => {
    await expect(serveSandbox(...args)).rejects.toThrow(new TypeError(message));
  });

  test('gateway.fetch with a URL, as a client calls fetch, rejects and sends nothing', async () => {
    const requests: unknown[] = [];
    const gateway = createGateway(settings, {
      fetch: async (request: Request) => requests.push(request),
    });
    const { fetch } = gateway as Untyped<typeof gateway>;
    for (const args of [['http://localhost/graphql', { method: 'POST' }], []])
      await expect(fetch(...args)).rejects.toThrow(
        new TypeError(
          'gateway.fetch takes one argument, a Request: gateway.fetch(new Request(url, init)).',
        ),
      );
    expect(requests).toEqual([]);
    await gateway.dispose();
  });

  test('an undefined option counts as absent', () => {
    expect(createSandbox({ seed: undefined, live: undefined }).basePath).toBe('/api');
  });
});
