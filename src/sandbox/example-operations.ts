import type { SampleIds } from './sample-ids.ts';

/**
 * Operations that show what the gateway can do, with ids of the sandbox's own data: the tabs of the
 * demo's GraphiQL.
 */
export function exampleOperations(
  ids: SampleIds,
): { description: string; query: string; variables?: Record<string, unknown> }[] {
  return [
    {
      description: 'One call with its attempts, transcript and results: one upstream request.',
      query: `
query OneCall($id: ID!) {
  call(id: $id) {
    status
    direction
    fromPhoneNumber
    toPhoneNumber
    campaign { id name }
    assistant { name firstSentence voice { provider speed } llmModel { __typename } }
    lastCallAttempt {
      startedAt
      endedAt
      result
      endedBy
      endReason
      structuredOutput
      transcript { role content toolName toolArguments toolIsError }
    }
  }
}
`,
      variables: { id: ids.richCallId },
    },
    {
      description: 'A call with several attempts over several days, newest first.',
      query: `
query Retries($id: ID!) {
  call(id: $id) {
    status
    callsCount
    callRetryConfig { maxRetryAttempts timezone callingWindows { callingWindowStartTime callingWindowEndTime retryDelaySeconds } }
    callAttempts { startedAt status result dialError }
  }
}
`,
      variables: { id: ids.retriedCallId },
    },
    {
      description:
        'A call that rings when the demo starts, and ends within two minutes: its transcript grows as you watch. The same button stops the subscription. Later, take the id of a call of LiveNow.',
      query: `
subscription WatchCall($id: ID!) {
  callUpdated(id: $id) {
    status
    lastCallAttempt { status startedAt answeredAt endedAt result transcript { role content } }
  }
}
`,
      variables: { id: ids.ringingCallId },
    },
    {
      description:
        'The calls of a running campaign that are live now. Copy the id of one into the variables of WatchCall.',
      query: `
query LiveNow($id: ID!, $statuses: [CallStatus!]) {
  campaign(id: $id) {
    name
    rows(first: 5, statuses: $statuses) {
      nodes { phoneNumber call { id status lastCallAttempt { status startedAt } } }
    }
  }
}
`,
      variables: { id: ids.largeCampaignId, statuses: ['QUEUED_FOR_CALLING', 'CALLING'] },
    },
    {
      description:
        'Each call that starts to ring from now on: one about every twenty seconds. The same button stops the subscription.',
      query: `
subscription LiveCalls($statuses: [CallStatus!]) {
  callAttemptAdded(statuses: $statuses) {
    node { id status phoneNumber startedAt }
  }
}
`,
      variables: { statuses: ['CALLING'] },
    },
    {
      description:
        'Walk the attempts: copy endCursor into the variable after. New calls arrive on top meanwhile, but no attempt is repeated or skipped.',
      query: `
query WalkAttempts($after: String, $statuses: [CallStatus!]) {
  callAttempts(first: 10, after: $after, statuses: $statuses) {
    edges { cursor node { id startedAt status result phoneNumber } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
`,
      variables: { after: null, statuses: ['COMPLETED'] },
    },
    {
      description: 'A campaign and fifty of its rows, each with its call: two upstream requests.',
      query: `
query CampaignRows($id: ID!) {
  campaign(id: $id) {
    name
    status
    isCancelled
    assistant { name }
    rows(first: 50) {
      totalCount
      nodes {
        rowIndex
        phoneNumber
        inputData
        call { status callsCount lastCallAttempt { result endReason } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
`,
      variables: { id: ids.largeCampaignId },
    },
    {
      description:
        'Twenty calls with the status of their six campaigns: twenty-one upstream requests.',
      query: `
query TwentyCalls($ids: [ID!]!) {
  calls(ids: $ids) {
    id
    status
    toPhoneNumber
    campaign { name status }
  }
}
`,
      variables: { ids: ids.twentyCallIds },
    },
    {
      description: 'All settings of an assistant.',
      query: `
query OneAssistant($id: ID!) {
  assistant(id: $id) {
    name
    prompt
    firstSentence
    firstSentenceMode
    voicemailMessage
    transferPhoneNumber
    maxCallDurationSecs
    ivrNavigationEnabled
    voice { voiceId provider speed }
    llmModel {
      ... on DedicatedInstanceLlmModel { name }
      ... on OpenrouterLlmModel { openrouterModelId openrouterProvider }
      ... on UnrecognizedLlmModel { type raw }
    }
    structuredOutputConfig { name type required description enumOptions }
    faqItems { question answer source needsHumanAnswer }
    pendingFaqCount
  }
}
`,
      variables: { id: ids.frenchAssistantId },
    },
    {
      description:
        'The totals of the lists: one upstream request for the assistants, one for the campaigns, several for the attempts.',
      query: `
query Overview {
  assistants(first: 100) { totalCount nodes { id name } }
  campaigns(first: 100) { totalCount nodes { id name status isCancelled } }
  callAttempts(last: 3) { totalCount nodes { startedAt status } }
}
`,
    },
  ];
}
