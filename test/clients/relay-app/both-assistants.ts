import { graphql } from 'relay-runtime';

export const bothAssistantsQuery = graphql`
  query bothAssistantsQuery($callId: ID!, $assistantId: ID!) {
    call(id: $callId) {
      id
      assistant {
        inCall: __typename
        id
        prompt
      }
    }
    assistant(id: $assistantId) {
      id
      name
      prompt
    }
  }
`;

export const oneAssistantQuery = graphql`
  query bothAssistantsPlainQuery($callId: ID!, $assistantId: ID!) {
    call(id: $callId) {
      id
      assistant {
        id
        prompt
      }
    }
    assistant(id: $assistantId) {
      id
      name
      prompt
    }
  }
`;

// A later refetch of the present assistant by its id.
export const assistantAgainQuery = graphql`
  query bothAssistantsAgainQuery($assistantId: ID!) {
    node(id: $assistantId) {
      id
      ... on Assistant {
        name
        prompt
      }
    }
  }
`;
