import type { TypePolicies } from '@apollo/client';

export const typePolicies: TypePolicies = {
  Assistant: { keyFields: (object) => (object.inCall ? false : `Assistant:${object.id}`) },
  Call: { fields: { assistant: { merge: true } } },
};
