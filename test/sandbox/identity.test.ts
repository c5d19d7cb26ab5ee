import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { API_VERSIONS } from '#sandbox/api/versions.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from '#sandbox/sandbox.ts';
import { fetchJson, STARTED_AT } from './sandbox-requests.ts';

/** The kind of object at a key of a response. The items of `GET /call` are attempts. */
const KINDS: { readonly [key: string]: string } = {
  assistant: 'assistant',
  assistants: 'assistant',
  call: 'call',
  call_attempts: 'attempt',
  calls: 'attempt',
  campaign: 'campaign',
  campaigns: 'campaign',
  last_call_attempt: 'attempt',
  rows: 'row',
};

type Fields = { readonly [key: string]: unknown };

/** Requests every object of an organization wherever the API serves it; returns the differences. */
async function findDifferences(sandbox: Sandbox, key: string) {
  const contents = new Map<string, Record<string, unknown>>();
  const differences: string[] = [];
  const { calls, assistants, campaigns } = sandbox.control.data(key);
  const ids = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id);
  const paths = [
    '/assistants',
    '/campaigns',
    '/call?page=1&page_size=5000',
    ...ids(assistants).map((id) => `/assistants/${id}`),
    ...ids(campaigns).map((id) => `/campaigns/${id}`),
    ...ids(campaigns).map((id) => `/campaigns/${id}/rows?page=1&page_size=5000`),
    ...ids(calls).map((id) => `/call/${id}`),
  ];
  for (const path of paths) {
    const { status, json } = await fetchJson(sandbox, path, { key });
    expect(status, path).toBe(200);
    visit(json, /^\/assistants\/.+/.test(path) ? 'assistant' : undefined);
  }
  return { differences, kinds: new Set([...contents.keys()].map((name) => name.split(' ')[0])) };

  function visit(value: unknown, kind: string | undefined): void {
    if (Array.isArray(value)) for (const item of value) visit(item, kind);
    else if (typeof value === 'object' && value !== null) visitObject(value as Fields, kind);
  }

  function visitObject(object: Fields, kind: string | undefined): void {
    if (kind !== undefined && typeof object.id === 'string')
      compare(`${kind} ${object.id}`, object);
    for (const [name, value] of Object.entries(object)) visit(value, KINDS[name]);
  }

  function compare(name: string, object: Fields): void {
    const known = contents.get(name) ?? {};
    for (const [field, value] of Object.entries(object))
      if (field in known && !isDeepStrictEqual(known[field], value))
        differences.push(`${name}.${field}`);
    contents.set(name, { ...known, ...object });
  }
}

const KEYS = ['sk_demo_a', 'sk_demo_b'];

describe('One content for each id in the sandbox', () => {
  const now = () => STARTED_AT;
  const startedAt = STARTED_AT;
  const cases: readonly [string, SandboxOptions][] = [
    ['of the demo’s data', {}],
    ['of another seed', { seed: 7 }],
    ['of live data after ten minutes', { live: true, now: () => STARTED_AT + 600_000 }],
    ...API_VERSIONS.map((version): [string, SandboxOptions] => [
      `in the form of version ${version}`,
      { version },
    ]),
  ];

  test.each(cases)('every response %s has the same content for the same id', async (_, options) => {
    for (const key of KEYS) {
      const { differences, kinds } = await findDifferences(
        createSandbox({ startedAt, now, ...options }),
        key,
      );
      expect(differences).toEqual([]);
      expect(kinds).toEqual(new Set(['assistant', 'call', 'attempt', 'campaign', 'row']));
    }
  });

  test('a call that a test gives other settings of a listed assistant is the only difference', async () => {
    const sandbox = createSandbox({ startedAt, now });
    const { assistants, calls } = sandbox.control.data('sk_demo_a');
    const call = calls.find(({ assistant }) => assistant === assistants[0])!;
    const assistant = { ...assistants[0]!, prompt: 'The prompt of that day.' };
    sandbox.control.putCall('sk_demo_a', { ...call, assistant });
    const { differences } = await findDifferences(sandbox, 'sk_demo_a');
    expect(new Set(differences)).toEqual(new Set([`assistant ${assistant.id}.prompt`]));
  });
});
