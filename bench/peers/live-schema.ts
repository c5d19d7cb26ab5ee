/**
 * The subscription of the peers, with the names of this gateway's schema, and what the resolvers of
 * both peers need: one poller for each followed call, as a careful author would write it.
 */
import type { Call } from '../../src/generated/revox-api.ts';
import { AUTHORIZATION, upstreamUrl } from './environment.ts';
import { plainResolvers } from './schema.ts';

export const typeDefs = /* GraphQL */ `
  type Query {
    call(id: ID!): Call
  }
  type Subscription {
    callUpdated(id: ID!): Call
  }
  type Call {
    id: ID!
    status: CallStatus
    direction: CallDirection
    toPhoneNumber: String
    fromPhoneNumber: String
    createdAt: String
    callsCount: Int
    callAttempts: [CallAttempt!]!
  }
  type CallAttempt {
    id: ID!
    status: CallAttemptStatus
    startedAt: String
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

export const typeResolvers = {
  Call: {
    ...plainResolvers.Call,
    callsCount: (call: LiveCall) => call.calls_count,
    callAttempts: (call: LiveCall) => call.call_attempts,
  },
  CallAttempt: { startedAt: plainResolvers.CallAttempt.startedAt },
  CallStatus: plainResolvers.CallStatus,
  CallDirection: plainResolvers.CallDirection,
  CallAttemptStatus: plainResolvers.CallAttemptStatus,
};

export type LiveCall = Call;

/** Interval of the polls of a call, in ms. */
const INTERVAL_MS = 1_000;

export interface Pollers {
  /** Adds a subscriber of a call. Returns the latest state, if there is one. */
  join(id: string): LiveCall | undefined;
  leave(id: string): void;
}

/** Polls each call that has subscribers once for all of them, and publishes each change. */
export function createPollers(publish: (id: string, call: LiveCall) => void): Pollers {
  const pollers = new Map<
    string,
    { subscribers: number; latest?: string; call?: LiveCall; timer: NodeJS.Timeout }
  >();
  return {
    join(id) {
      const poller = pollers.get(id) ?? {
        subscribers: 0,
        timer: setInterval(() => void poll(id), INTERVAL_MS),
      };
      if (poller.subscribers === 0) {
        pollers.set(id, poller);
        void poll(id);
      }
      poller.subscribers += 1;
      return poller.call;
    },
    leave(id) {
      const poller = pollers.get(id);
      if (!poller) return;
      poller.subscribers -= 1;
      if (poller.subscribers > 0) return;
      clearInterval(poller.timer);
      pollers.delete(id);
    },
  };

  async function poll(id: string): Promise<void> {
    const text = await get(`/call/${id}`);
    const poller = pollers.get(id);
    if (!poller || poller.latest === text) return;
    poller.latest = text;
    poller.call = (JSON.parse(text) as { call: LiveCall }).call;
    publish(id, poller.call);
  }
}

export async function getCall(id: string): Promise<{ readonly call: LiveCall }> {
  return JSON.parse(await get(`/call/${id}`)) as { call: LiveCall };
}

async function get(path: string): Promise<string> {
  const response = await fetch(`${upstreamUrl}${path}`, {
    headers: { authorization: AUTHORIZATION },
  });
  if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
  return response.text();
}
