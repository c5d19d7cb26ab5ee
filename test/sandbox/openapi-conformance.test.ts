import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Sandbox, SandboxOptions } from '#sandbox/sandbox.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { fetchJson, STARTED_AT } from './sandbox-requests.ts';

interface Parameter {
  name: string;
  in: 'path' | 'query';
  required: boolean;
  schema: { type?: string };
}
interface Operation {
  parameters?: Parameter[];
  responses: Record<
    string,
    { $ref?: string; content?: { 'application/json': { schema: { $ref: string } } } }
  >;
}
interface Contract {
  paths: Record<string, { get: Operation }>;
  components: { responses: Record<string, NonNullable<Operation['responses'][string]>> };
}

const contract = parse(
  readFileSync(new URL('../../schema/revox.openapi.yaml', import.meta.url), 'utf8'),
) as Contract;
const ajv = new Ajv2020({
  strict: false,
  strictNumbers: true,
  validateFormats: false,
  allErrors: true,
});
ajv.addSchema(contract, 'contract');

/** The violations of a value against the schema at this pointer of the contract. */
function schemaErrors(pointer: string, value: unknown): string[] {
  const validate = ajv.getSchema(`contract${pointer}`);
  if (validate === undefined) throw new Error(`The contract has no ${pointer}`);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function operationOf(path: string): [template: string, operation: Operation] {
  const found = Object.entries(contract.paths).find(([template]) =>
    new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
  if (found === undefined) throw new Error(`The contract has no path for ${path}`);
  return [found[0], found[1].get];
}

/** The violations of a request against the contract. */
function requestErrors(template: string, operation: Operation, query: URLSearchParams): string[] {
  const known = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const errors = [...query.keys()].filter(
    (name) => !known.some((parameter) => parameter.name === name),
  );
  for (const [index, parameter] of (operation.parameters ?? []).entries()) {
    if (parameter.in !== 'query') continue;
    const text = query.get(parameter.name);
    if (text === null) {
      if (parameter.required) errors.push(`no ${parameter.name}`);
      continue;
    }
    const { type } = parameter.schema;
    const value =
      type === 'integer' || type === 'number'
        ? Number(text)
        : type === 'array'
          ? text.split(',')
          : text;
    const pointer = `#/paths/${template.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')}/get/parameters/${index}/schema`;
    errors.push(...schemaErrors(pointer, value).map((error) => `${parameter.name}${error}`));
  }
  return errors;
}

function responseErrors(operation: Operation, status: number, json: unknown): string[] {
  const response =
    operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`];
  if (response === undefined) return [`status ${status} is not documented`];
  const { content } =
    response.$ref === undefined
      ? response
      : contract.components.responses[response.$ref.split('/').at(-1)!]!;
  return schemaErrors(content!['application/json'].schema.$ref, json);
}

async function check(
  sandbox: Sandbox,
  path: string,
  key: string,
): Promise<{ status: number; request: string[]; response: string[] }> {
  const url = new URL(path, 'http://sandbox.example');
  const [template, operation] = operationOf(url.pathname);
  const { status, json } = await fetchJson(sandbox, path, { key });
  return {
    status,
    request: requestErrors(template, operation, url.searchParams),
    response: responseErrors(operation, status, json),
  };
}

/** The paths of everything that the sandbox serves, page by page and filter by filter. */
function crawl(sandbox: Sandbox, key: string): string[] {
  const { calls, assistants, campaigns, attempts } = sandbox.control.data(key);
  const pages = Array.from(
    { length: Math.ceil(attempts.length / 100) + 1 },
    (_, index) => index + 1,
  );
  const statuses = [
    'initializing',
    'queued_for_calling',
    'calling',
    'scheduled',
    'completed',
    'cancelled',
    'errored',
  ];
  return [
    ...pages.map((page) => `/call?page=${page}&page_size=100`),
    ...statuses.map((status) => `/call?page=1&page_size=20&statuses=${status}`),
    '/call?page=1&page_size=20&statuses=calling,completed',
    ...calls.map(({ id }) => `/call/${id}`),
    '/assistants',
    ...assistants.map(({ id }) => `/assistants/${id}`),
    '/campaigns',
    ...campaigns.flatMap(({ id }) => [
      `/campaigns/${id}`,
      `/campaigns/${id}/rows?page=1&page_size=1000`,
      `/campaigns/${id}/rows?page=2&page_size=20&query=a&result=human&statuses=completed,errored`,
      ...['IVR', 'voicemail', 'human', 'unknown', 'ios-screening-filter', 'all', 'none'].map(
        (result) => `/campaigns/${id}/rows?page=1&page_size=5&result=${result}`,
      ),
    ]),
  ];
}

const sandboxes: [string, SandboxOptions, number][] = [
  ['static', {}, 0],
  ['live, with calls in progress', { live: true }, 95_000],
];
describe.each(sandboxes)('Conformance of the %s data', (_name, options, elapsedMs) => {
  let time = STARTED_AT;
  const sandbox = createSandbox({ startedAt: STARTED_AT, now: () => time, ...options });
  beforeAll(() => {
    time = STARTED_AT + elapsedMs;
  });

  it.each(['sk_demo_a', 'sk_demo_b'])(
    'every response to %s conforms to the OpenAPI contract',
    async (key) => {
      const paths = crawl(sandbox, key);
      expect(paths.length).toBeGreaterThan(150);
      const crawled = new Set(paths.map((path) => operationOf(path.split('?')[0]!)[0]));
      expect([...crawled].sort()).toEqual(Object.keys(contract.paths).sort());
      const wrong = [];
      for (const path of paths) {
        const checked = await check(sandbox, path, key);
        if (checked.status !== 200 || checked.request.length + checked.response.length > 0)
          wrong.push({ path, ...checked });
      }
      expect(wrong).toEqual([]);
    },
  );
});

describe('Requests that violate the contract', () => {
  const sandbox = createSandbox({ startedAt: STARTED_AT });
  const { campaigns, calls } = sandbox.control.data('sk_demo_a');
  const lists = ['/call', `/campaigns/${campaigns[0]!.id}/rows`];

  it.each(
    lists.flatMap((list) => [
      list,
      `${list}?page=1`,
      `${list}?page_size=1`,
      `${list}?page=x&page_size=1`,
      `${list}?page=1&page_size=x`,
      `${list}?page=1&page_size=1&other=1`,
    ]),
  )('a request that violates the contract is rejected as documented: %s', async (path) => {
    const { status, request, response } = await check(sandbox, path, 'sk_demo_a');
    expect(request).not.toEqual([]);
    expect([status, response]).toEqual([400, []]);
  });

  it.each([
    '/call?page=0&page_size=1',
    '/call?page=1&page_size=0',
    '/call?page=1&page_size=1&statuses=busy',
    `${lists[1]}?page=1&page_size=1&result=busy`,
  ])('a request with an invalid value is rejected as documented: %s', async (path) => {
    const { status, request, response } = await check(sandbox, path, 'sk_demo_a');
    expect(request).not.toEqual([]);
    expect([status, response]).toEqual([400, []]);
  });

  it('a request with an unknown key or for an unknown object is rejected with a documented body', async () => {
    expect(await check(sandbox, '/assistants', 'sk_other')).toMatchObject({
      status: 401,
      response: [],
    });
    expect(await check(sandbox, `/call/${calls[0]!.id}`, 'sk_demo_b')).toMatchObject({
      status: 404,
      response: [],
    });
  });
});

it('the conformance check detects a response that violates the contract', async () => {
  const sandbox = createSandbox({ startedAt: STARTED_AT });
  const { id } = sandbox.control.data('sk_demo_a').calls[0]!;
  sandbox.control.transform(
    '/call/',
    (json) => ({ call: { ...json.call, status: 'paused', id: 7 } }),
    1,
  );
  const changed = (await check(sandbox, `/call/${id}`, 'sk_demo_a')).response.join('; ');
  expect(changed).toMatch(/\/call\/status .*\/call\/id|\/call\/id .*\/call\/status/);
  sandbox.control.transform(
    '/call/',
    ({ call: { organization_id: _gone, ...call } }) => ({ call }),
    1,
  );
  expect((await check(sandbox, `/call/${id}`, 'sk_demo_a')).response.join('; ')).toContain(
    'organization_id',
  );
});
