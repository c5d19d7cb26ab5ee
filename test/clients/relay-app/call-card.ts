import { graphql } from 'relay-runtime';

export const callCardQuery = graphql`
  query callCardQuery($id: ID!) {
    node(id: $id) {
      ...callCard_call @alias(as: "call")
    }
  }
`;

export const callCard = graphql`
  fragment callCard_call on Call @refetchable(queryName: "callCardRefetchQuery") {
    id
    status
    toPhoneNumber
    assistant {
      id
      name
    }
    campaign {
      id
      name
    }
    lastCallAttempt {
      id
      status
    }
  }
`;
