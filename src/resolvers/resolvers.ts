import { assistantResolvers } from './assistant.ts';
import { callResolvers } from './call.ts';
import { callAttemptResolvers } from './call-attempt.ts';
import { campaignResolvers } from './campaign.ts';
import { campaignRowResolvers } from './campaign-row.ts';
import { llmModelResolvers } from './llm-model.ts';
import { nodeResolvers } from './node.ts';
import { subscriptionResolvers } from './subscription.ts';

/** Every field that does not simply read its REST key, by domain. */
export const resolvers = [
  assistantResolvers,
  callResolvers,
  callAttemptResolvers,
  campaignResolvers,
  campaignRowResolvers,
  llmModelResolvers,
  nodeResolvers,
  subscriptionResolvers,
];
