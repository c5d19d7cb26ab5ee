/**
 * The schema of the peers: the fields that the operations of the table select, with the names of
 * this gateway's schema. All peers share the types and the resolvers of plain fields; each peer's
 * own file contains its data loading.
 */
export const typeDefs = /* GraphQL */ `
  type Query {
    call(id: ID!): Call
    callAttempts(first: Int! = 20, statuses: [CallStatus!]): CallAttemptConnection
    assistant(id: ID!): Assistant
  }
  type Call {
    id: ID!
    status: CallStatus
    direction: CallDirection
    toPhoneNumber: String
    fromPhoneNumber: String
    createdAt: String
    assistant: Assistant
  }
  type CallAttemptConnection {
    nodes: [CallAttempt!]!
  }
  type CallAttempt {
    id: ID!
    status: CallAttemptStatus
    phoneNumber: String
    startedAt: String
    endedAt: String
  }
  type Assistant {
    id: ID!
    name: String
    firstSentence: String
  }
  enum CallStatus {
    INITIALIZING
    QUEUED_FOR_CALLING
    CALLING
    SCHEDULED
    COMPLETED
    CANCELLED
    ERRORED
  }
  enum CallDirection {
    INBOUND
    OUTBOUND
  }
  enum CallAttemptStatus {
    QUEUED
    RINGING
    ONGOING
    COMPLETED
    ERROR
  }
`;

/** The fields with other names in REST, and the REST values of enums. */
export const plainResolvers = {
  Call: {
    toPhoneNumber: (call: Call) => call.to_phone_number,
    fromPhoneNumber: (call: Call) => call.from_phone_number,
    createdAt: (call: Call) => call.created_at,
  },
  CallAttempt: {
    phoneNumber: (attempt: CallAttempt) => attempt.phone_number,
    startedAt: (attempt: CallAttempt) => attempt.started_at,
    endedAt: (attempt: CallAttempt) => attempt.ended_at,
  },
  Assistant: {
    firstSentence: (assistant: Assistant) => assistant.first_sentence,
  },
  CallStatus: {
    INITIALIZING: 'initializing',
    QUEUED_FOR_CALLING: 'queued_for_calling',
    CALLING: 'calling',
    SCHEDULED: 'scheduled',
    COMPLETED: 'completed',
    CANCELLED: 'cancelled',
    ERRORED: 'errored',
  },
  CallDirection: { INBOUND: 'inbound', OUTBOUND: 'outbound' },
  CallAttemptStatus: {
    QUEUED: 'queued',
    RINGING: 'ringing',
    ONGOING: 'ongoing',
    COMPLETED: 'completed',
    ERROR: 'error',
  },
};

export interface ById {
  readonly id: string;
}

export interface PageArguments {
  readonly first: number;
  readonly statuses?: readonly string[];
}

/** The first page, which is the only one that the operations request. */
export function toPagePath({ first, statuses = [] }: PageArguments): string {
  return `/call?page=1&page_size=${first}${statuses.length > 0 ? `&statuses=${statuses.join(',')}` : ''}`;
}

export type { Assistant, Call, CallAttempt };

import type { Assistant, Call, CallAttempt } from '../../src/generated/revox-api.ts';
