import { Client, fetchExchange, mapExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { createSseClient } from '../snippets/graphql-sse.ts';
import { createLiveExchange } from '../snippets/live-exchange.ts';
import { keepRawValues, type RawValues } from './raw-values.ts';

/** Objects of these types are parts of another: they have no id, or one that can be null. */
const PARTS = [
  'AssistantConnection',
  'AssistantEdge',
  'CallAttemptConnection',
  'CallAttemptEdge',
  'Calendly',
  'CallRetryConfig',
  'CallUpdate',
  'CallingWindow',
  'CampaignConnection',
  'CampaignEdge',
  'CampaignRowConnection',
  'CampaignRowEdge',
  'DedicatedInstanceLlmModel',
  'FaqItem',
  'OpenrouterLlmModel',
  'PageInfo',
  'StructuredOutputField',
  'TranscriptMessage',
  'UnrecognizedLlmModel',
  'Voice',
];

export const keys = Object.fromEntries(PARTS.map((type) => [type, () => null]));

/** @param send `fetch`, or one that adds the token of the user */
export function createUrqlClient(url: string, send: typeof fetch, rawValues: RawValues) {
  return new Client({
    url,
    fetch: send,
    // By default urql sends queries by GET, and the cache of the browser answers those of a reload.
    preferGetMethod: false,
    exchanges: [
      cacheExchange({
        keys: { ...keys, Assistant: ({ inCall, id }) => (inCall ? null : String(id)) },
        resolvers: {
          Query: {
            callAttempts: relayPagination(),
            campaigns: relayPagination(),
            call(_parent, args, cache) {
              const known = cache.resolve('Query', 'call', args);
              // A call that a list has read. Null: there is no such call.
              return known === undefined ? { __typename: 'Call', id: String(args.id) } : known;
            },
          },
          Campaign: { rows: relayPagination() },
        },
      }),
      mapExchange({ onResult: (result) => keepRawValues(rawValues, result) }),
      fetchExchange,
      createLiveExchange(createSseClient(url, send)),
    ],
  });
}
