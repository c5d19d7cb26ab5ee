import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';

/**
 * An operation comes as JSON by POST, or in the URL by GET. Yoga would take forms and bare GraphQL text, too: what any web page may
 * send to any server without asking. And what is no JSON in a URL it would take for a fault of ours.
 */
export function useJsonOnly(): Plugin {
  return {
    onRequestParse({ request, url }) {
      if (request.method === 'POST' && !isJsonContentType(request.headers.get('content-type'))) {
        throw badRequest('The body has to be `application/json`.', 415);
      }
      if (request.method !== 'GET') return;
      for (const name of ['variables', 'extensions']) {
        const text = url.searchParams.get(name);
        if (text && !isValidJson(text)) throw badRequest(`\`${name}\` in the URL has to be JSON.`, 400);
      }
    },
  };
}

function badRequest(message: string, status: number): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status } } });
}

/** To the letter what Yoga takes: what we let through and it does not, it would refuse without a word. */
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
