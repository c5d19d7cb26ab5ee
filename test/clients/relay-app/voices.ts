import { graphql } from 'relay-runtime';

export const voicesQuery = graphql`
  query voicesQuery {
    assistants(first: 100) {
      nodes {
        id
        voice {
          provider
          voiceId
          speed
        }
      }
    }
  }
`;
