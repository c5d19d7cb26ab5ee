import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';

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
export function createUrqlClient(url: string, send: typeof fetch) {
  return new Client({
    url,
    fetch: send,
    exchanges: [
      cacheExchange({
        keys: { ...keys, Assistant: ({ inCall, id }) => (inCall ? null : String(id)) },
        resolvers: {
          Query: {
            callAttempts: relayPagination(),
            campaigns: relayPagination(),
            call: (_parent, { id }) => ({ __typename: 'Call', id: String(id) }),
          },
          Campaign: { rows: relayPagination() },
        },
      }),
      fetchExchange,
    ],
  });
}
