import type { ExampleOperation } from '#http/example-operation.ts';

export const WELCOME_OPERATION: ExampleOperation = {
  description:
    'The Revox API in GraphQL. Press Ctrl-Enter to run this operation. Field names are those of the Revox ' +
    'documentation in camelCase: to_phone_number is toPhoneNumber. The book icon on the left opens the documentation.',
  // A default, because GraphiQL does not show the variables of the first tab.
  query: `query LatestAttempts($statuses: [CallStatus!] = [COMPLETED]) {
    callAttempts(first: 5, statuses: $statuses) {
      nodes { status result phoneNumber startedAt }
      pageInfo { hasNextPage endCursor }
    }
  }`,
};

const WALK_ATTEMPTS: ExampleOperation = {
  description: 'Walk the attempts of all calls: copy endCursor into the variable after.',
  query: `query WalkAttempts($after: String) {
    callAttempts(first: 10, after: $after) {
      nodes { id startedAt status result }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  variables: { after: null },
};

const CAMPAIGNS: ExampleOperation = {
  description:
    'The campaigns. Each needs one more upstream request for the number of its completed rows.',
  query: `query Campaigns($completed: [CallStatus!]) {
    campaigns(first: 5) {
      totalCount
      nodes { id name status rows(first: 1, statuses: $completed) { totalCount } }
    }
  }`,
  variables: { completed: ['COMPLETED'] },
};

const ASSISTANTS: ExampleOperation = {
  description: 'The assistants: one upstream request.',
  query: `query Assistants {
    assistants(first: 20) {
      totalCount
      nodes { id name firstSentence voice { provider } llmModel { __typename } }
    }
  }`,
};

const LIVE_CALLS: ExampleOperation = {
  description: 'Each call that starts to ring from now on. The same button stops the subscription.',
  query: `subscription LiveCalls($statuses: [CallStatus!]) {
    callAttemptAdded(statuses: $statuses) {
      node { id status phoneNumber startedAt }
    }
  }`,
  variables: { statuses: ['CALLING'] },
};

/** Operations that need no id, for every organization. They follow the welcome operation. */
export function generalOperations(hasSubscriptions: boolean): readonly ExampleOperation[] {
  return [WALK_ATTEMPTS, CAMPAIGNS, ASSISTANTS, ...(hasSubscriptions ? [LIVE_CALLS] : [])];
}
