import type { Sandbox } from '#sandbox/sandbox.ts';

/** Noon of a Wednesday: the start time of the data in these tests. */
export const STARTED_AT = Date.parse('2024-06-12T12:00:00.000Z');

export interface SandboxResult {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into whatever the API says.
  readonly json: any;
  readonly headers: Headers;
}

/** Sends a GET, by default with the key of the first organization. */
export async function fetchJson(
  sandbox: Sandbox,
  path: string,
  { key = 'sk_demo_a', ...init }: RequestInit & { key?: string } = {},
): Promise<SandboxResult> {
  const response = await sandbox.fetch(toRequest(sandbox, path, { key, ...init }));
  return { status: response.status, json: await response.json(), headers: response.headers };
}

export function toRequest(
  sandbox: Sandbox,
  path: string,
  { key = 'sk_demo_a', ...init }: RequestInit & { key?: string } = {},
): Request {
  return new Request(`http://sandbox.example${sandbox.basePath}${path}`, {
    headers: { authorization: `Bearer ${key}` },
    ...init,
  });
}

export function idsOf(items: readonly { id: string }[]): string[] {
  return items.map(({ id }) => id);
}
