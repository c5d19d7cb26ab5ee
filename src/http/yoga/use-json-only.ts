import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/**
 * Accepts an operation as JSON by POST, or in the URL by GET. Yoga would also accept forms and bare
 * GraphQL text, which any web page can send to any server without a preflight. And Yoga would
 * report invalid JSON in a URL as an internal error.
 */
export function useJsonOnly(): Plugin {
  return {
    onRequestParse({ request, url }) {
      if (request.method === 'POST' && !isJsonContentType(request.headers.get('content-type'))) {
        throw badRequest('The body must be `application/json`.', 415);
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

function badRequest(message: string, status: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status } } });
}

/** Exactly what Yoga accepts: Yoga would reject any other content type with an empty response. */
function isJsonContentType(contentType: string | null): boolean {
  return /^application\/(graphql\+)?json(;|,|$)/.test(contentType ?? '');
}

function isValidJson(json: string): boolean {
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
