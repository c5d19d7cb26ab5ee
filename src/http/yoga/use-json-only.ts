import { GraphQLError } from 'graphql';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { CONTENT_CODINGS, parseContentEncoding } from '#http/headers/content-encoding.ts';
import { parseContentType } from '#http/headers/content-type.ts';
import { withoutByteOrderMark } from '#http/read-body.ts';

/**
 * Accepts an operation as JSON by POST, or in the URL by GET. Yoga would also accept bare GraphQL
 * text, and forms, which any web page can send to any server without a preflight. It would compare
 * `Content-Type` to the letter, reject a byte order mark, and report invalid JSON in a URL as an
 * internal error.
 */
export function useJsonOnly(): Plugin {
  return {
    onRequestParse({ request, url, setRequestParser }) {
      if (request.method === 'POST') {
        checkJsonBody(request.headers);
        setRequestParser(parseJsonBody);
      }
      if (request.method !== 'GET') return;
      for (const name of ['variables', 'extensions']) {
        const text = url.searchParams.get(name);
        if (text && !isValidJson(text))
          throw badRequest(`\`${name}\` in the URL must be JSON.`, 400);
      }
    },
  };
}

/** @throws GraphQLError (415) for a body that cannot be read */
function checkJsonBody(headers: Headers): void {
  const { isJson, isUtf8 } = parseContentType(headers.get('content-type') ?? '');
  if (!isJson) throw badRequest('The body must be `application/json`.', 415);
  if (!isUtf8) throw badRequest('The charset of the body must be UTF-8.', 415);
  if (parseContentEncoding(headers.get('content-encoding')) !== null) return;
  throw badRequest(
    `The Content-Encoding of the body must be one of ${CONTENT_CODINGS.join(', ')}.`,
    415,
    { 'accept-encoding': CONTENT_CODINGS.join(', ') },
  );
}

async function parseJsonBody(request: Request): Promise<GraphQLParams> {
  const text = await request.text();
  let body: unknown;
  try {
    body = JSON.parse(withoutByteOrderMark(text));
  } catch {
    throw badRequest('POST body sent invalid JSON.', 400);
  }
  if (typeof body === 'object' && body !== null) return body;
  const kind = body === null ? 'null' : typeof body;
  throw badRequest(`POST body is expected to be object but received ${kind}`, 400);
}

function badRequest(message: string, status: number, headers = {}): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'BAD_USER_INPUT', http: { status, headers } },
  });
}

function isValidJson(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
