import { readJson } from './read-json.ts';
import type { Transport } from './transport.ts';
import { unlessAborted } from './unless-aborted.ts';

const MAX_BYTES = 2 ** 20;

/**
 * Fetches JSON documents that are no part of the API, an issuer's keys for one, the same way: GETs only, through the same proxy, and no redirect
 * is followed. An answer without status 200 comes without its body; one that is no JSON, or more than a mebibyte of it, rejects.
 */
export function createDocumentFetch(transport: Transport): (request: Request) => Promise<Response> {
  return ({ url, headers, signal }) => unlessAborted(signal, fetchDocument(url, Object.fromEntries(headers), signal));

  async function fetchDocument(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    const { status, body, discard } = await transport(url, { headers, signal });
    if (status === 200) return Response.json(await readJson(body, MAX_BYTES));
    // Not awaited: a body that nobody reads may never end.
    void discard().catch(() => {});
    return new Response(null, { status });
  }
}
