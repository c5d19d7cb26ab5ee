// The subgraph of contacts.graphql at http://127.0.0.1:4010/graphql, with invented data.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';

const PORT = 4010;
const NAMES = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Alan'];
const OWNERS = ['Sales', 'Support'];

const sdl = readFileSync(new URL('contacts.graphql', import.meta.url), 'utf8');

/** What a router requests from every subgraph. */
const federation = `
  scalar _Any
  union _Entity = Assistant | Call | Contact
  type _Service { sdl: String! }
  extend type Query { _entities(representations: [_Any!]!): [_Entity]!  _service: _Service! }
`;

/** The same text always gets the same item. */
const pick = (items, text) => items[Number(text.replace(/\D/g, '') || 0) % items.length];
const toContact = (phoneNumber) => phoneNumber && { phoneNumber, name: pick(NAMES, phoneNumber) };

const schema = createSchema({
  typeDefs: [sdl, federation],
  // The composer knows the directives of federation.
  assumeValidSDL: true,
  resolvers: {
    Query: {
      contact: (_, { phoneNumber }) => toContact(phoneNumber),
      // A representation has the type, the key and what @requires names.
      _entities: (_, { representations }) =>
        representations.map((entity) =>
          entity.__typename === 'Contact'
            ? { ...entity, ...toContact(entity.phoneNumber) }
            : entity,
        ),
      _service: () => ({ sdl }),
    },
    _Entity: { __resolveType: ({ __typename }) => __typename },
    Call: { contact: ({ toPhoneNumber }) => toContact(toPhoneNumber) },
    Assistant: { owner: ({ id }) => pick(OWNERS, id) },
  },
});

createServer(createYoga({ schema })).listen(PORT, '127.0.0.1', () => {
  console.log(`Contacts: http://127.0.0.1:${PORT}/graphql`);
});
