import { getIntrospectionQuery } from 'graphql';
import { describe, expect, test } from 'vitest';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { exampleQueries } from '../support/example-queries.ts';
import { operationCosts } from '../support/operation-costs.ts';
import { createTestGateway } from '../support/test-gateway.ts';

describe('Default limits', () => {
  /**
   * Half of each default limit, and a third of the limits that grow with the size of an operation.
   */
  const settings = {
    MAX_BODY_BYTES: '349525',
    MAX_TOKENS: '1666',
    MAX_DEPTH: '10',
    MAX_ALIASES: '33',
    MAX_DIRECTIVES: '33',
    MAX_COST: '166666',
  };

  test.each(operationCosts)(
    'the operation "$name" stays within a fraction of the default limits',
    async ({ query, variables }) => {
      const gateway = createTestGateway({ settings });
      const result = await gateway.execute(query, variables?.(sampleIds(gateway.sandbox)));
      expect(result).not.toHaveProperty('errors');
      expect(gateway.traffic()).not.toEqual([]);
    },
  );

  test('the example queries of GraphiQL stay within a fraction of the default limits', async () => {
    const gateway = createTestGateway({ settings });
    for (const { description, query, variables } of exampleQueries(sampleIds(gateway.sandbox))) {
      expect(await gateway.execute(query, variables), description).not.toHaveProperty('errors');
      expect(gateway.traffic(), description).not.toEqual([]);
    }
  });

  test('a rich client page built from fragments stays within a fraction of the default limits', async () => {
    const gateway = createTestGateway({ settings });
    const { largeCampaignId } = sampleIds(gateway.sandbox);
    const result = await gateway.execute(RICH_PAGE, { id: largeCampaignId, first: 50 });
    expect(result).not.toHaveProperty('errors');
    expect(result.data.campaign.rows.edges).toHaveLength(50);
    expect(gateway.traffic()).not.toEqual([]);
  });

  test('the full introspection query of fifteen levels stays within the limits', async () => {
    const gateway = createTestGateway({
      settings: { ...settings, MAX_DEPTH: '15', INTROSPECTION: 'on' },
    });
    const query = getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      inputValueDeprecation: true,
    });
    expect((await gateway.execute(query)).data.__schema.types.length).toBeGreaterThan(30);
    expect(gateway.traffic()).toEqual([]);
  });
});

const RICH_PAGE = `
  query CampaignPage($id: ID!, $first: Int, $after: String, $withAssistant: Boolean = true) {
    campaign(id: $id) {
      ...CampaignHeader
      ...CampaignRows
      assistant @include(if: $withAssistant) { ...AssistantCard ...AssistantVoice }
    }
    recent: callAttempts(first: 20) { edges { cursor node { ...Attempt } } pageInfo { ...Page } }
    assistants(first: 100) { nodes { ...AssistantCard } }
  }
  fragment CampaignHeader on Campaign { __typename id name status createdAt isCancelled }
  fragment CampaignRows on Campaign {
    rows(first: $first, after: $after) {
      __typename
      totalCount
      pageInfo { ...Page }
      edges { __typename cursor node { __typename id ...Row } }
    }
  }
  fragment Row on CampaignRow { id rowIndex phoneNumber inputData call { ...CallCard } }
  fragment CallCard on Call {
    __typename id status direction fromPhoneNumber toPhoneNumber createdAt scheduledAt callsCount metadata
    assistant { ...AssistantCard }
    campaign { __typename id name }
    lastCallAttempt { ...Attempt }
    callAttempts { ...Attempt }
  }
  fragment Attempt on CallAttempt {
    __typename id status result dialError startedAt answeredAt endedAt endedBy endReason phoneNumber recordingUrl structuredOutput
    transcript { role content toolName toolArguments toolIsError }
  }
  fragment AssistantCard on Assistant { __typename id name ...AssistantVoice }
  fragment AssistantVoice on Assistant { voice { provider voiceId speed } llmModel { __typename ... on OpenrouterLlmModel { openrouterModelId } } }
  fragment Page on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }
`;
