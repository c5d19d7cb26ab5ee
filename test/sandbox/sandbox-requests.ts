import type { Sandbox } from '#sandbox/sandbox.ts';

/** Noon of a Wednesday: the moment the data of these tests is told at. */
export const STARTED_AT = Date.parse('2024-06-12T12:00:00.000Z');

export interface SandboxResult {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into whatever the API says.
  readonly json: any;
  readonly headers: Headers;
}

/** A GET with the first organisation's key, unless told otherwise. */
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
