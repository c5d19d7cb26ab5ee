import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { createYoga } from 'graphql-yoga';
import { startListening } from './listen.ts';

export interface Contact {
  readonly phoneNumber: string;
  readonly name: string;
  /** The ids of the contact's calls. This subgraph stores them itself, so some may be wrong. */
  readonly callIds: readonly string[];
  readonly assistantId?: string;
}

export interface ContactsSubgraph extends AsyncDisposable {
  readonly url: string;
  /** The contacts of the subgraph; each test sets its own. */
  contacts: readonly Contact[];
  /** The follow-up call of a call, by id. */
  followUps: ReadonlyMap<string, string>;
}

export const contactsSdl = readFileSync(new URL('contacts.graphql', import.meta.url), 'utf8');

// Values that depend only on an id, so that a test detects an entity with the wrong id.
export const toNotes = (callId: string) => [`Noted of ${callId}.`];
export const toOwner = (assistantId: string) => `The owner of ${assistantId}`;
export const toRating = (attemptId: string) => 1 + ((attemptId.codePointAt(0) ?? 0) % 5);
export const toPriority = (rowId: string) => 1 + ((rowId.codePointAt(1) ?? 0) % 3);

interface Reference {
  readonly __typename: 'Assistant' | 'Call' | 'CallAttempt' | 'CampaignRow' | 'Contact';
  readonly id: string;
  readonly phoneNumber: string;
  readonly toPhoneNumber?: string | null;
}

/** The subgraph of another team, served over a real socket. */
export async function serveContacts(): Promise<ContactsSubgraph> {
  const findContact = (phoneNumber: string | null | undefined) =>
    subgraph.contacts.find((contact) => contact.phoneNumber === phoneNumber);
  const schema = makeExecutableSchema({
    typeDefs: [contactsSdl, FEDERATION_DEFINITIONS],
    // The composer defines the directives of federation.
    assumeValidSDL: true,
    resolvers: {
      Query: {
        contacts: (_: unknown, page: { first?: number; after?: string }) =>
          toConnection(subgraph.contacts, page),
        contact: (_: unknown, { phoneNumber }: Contact) => findContact(phoneNumber),
        _entities: (_: unknown, { representations }: { representations: readonly Reference[] }) =>
          representations.map((reference) =>
            reference.__typename === 'Contact'
              ? { ...reference, ...findContact(reference.phoneNumber) }
              : reference,
          ),
        _service: () => ({ sdl: contactsSdl }),
      },
      _Entity: { __resolveType: ({ __typename }: Reference) => __typename },
      Contact: {
        calls: ({ callIds }: Contact) => callIds.map((id) => ({ id })),
        assistant: ({ assistantId }: Contact) => assistantId && { id: assistantId },
      },
      Call: {
        notes: ({ id }: Reference) => toNotes(id),
        followUp: ({ id }: Reference) =>
          subgraph.followUps.has(id) && { id: subgraph.followUps.get(id) },
        contact: ({ toPhoneNumber }: Reference) => findContact(toPhoneNumber),
      },
      Assistant: { owner: ({ id }: Reference) => toOwner(id) },
      CallAttempt: { rating: ({ id }: Reference) => toRating(id) },
      CampaignRow: { priority: ({ id }: Reference) => toPriority(id) },
    },
  });
  const server = createServer(createYoga({ schema, logging: false, landingPage: false }));
  const { url, close } = await startListening(server);
  const subgraph: ContactsSubgraph = {
    url: `${url}/graphql`,
    contacts: [],
    followUps: new Map(),
    [Symbol.asyncDispose]: close,
  };
  return subgraph;
}

const FEDERATION_DEFINITIONS = `
  scalar _Any
  union _Entity = Assistant | Call | CallAttempt | CampaignRow | Contact
  type _Service { sdl: String! }
  extend type Query { _entities(representations: [_Any!]!): [_Entity]!  _service: _Service! }
`;

function toConnection(
  contacts: readonly Contact[],
  { first = 20, after = '-1' }: { first?: number; after?: string },
) {
  const start = Number(after) + 1;
  const edges = contacts
    .slice(start, start + first)
    .map((node, index) => ({ cursor: String(start + index), node }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: start + first < contacts.length,
      hasPreviousPage: start > 0,
      startCursor: edges[0]?.cursor,
      endCursor: edges.at(-1)?.cursor,
    },
  };
}
