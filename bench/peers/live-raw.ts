/**
 * The lower bound: an event stream of `node:http`, without GraphQL, limits and log. Every event is
 * serialized once for all subscribers of a call. A query is a request to the upstream.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { HOST, port } from './environment.ts';
import { createPollers, getCall, type LiveCall } from './live-schema.ts';

interface Operation {
  readonly query: string;
  readonly variables?: { readonly id: string };
}

const subscribers = new Map<string, Set<ServerResponse>>();
const pollers = createPollers((id, call) => {
  const event = toEvent(call);
  for (const response of subscribers.get(id) ?? []) response.write(event);
});

createServer((request, response) => void serve(request, response)).listen(port, HOST);

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { query, variables } = JSON.parse(await text(request)) as Operation;
  if (!variables) {
    response.end('{}');
    return;
  }
  const { id } = variables;
  if (query.startsWith('query')) {
    const call = toSelection((await getCall(id)).call);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ data: { call } }));
    return;
  }
  const ofCall = subscribers.get(id) ?? new Set();
  subscribers.set(id, ofCall.add(response));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const present = pollers.join(id);
  if (present) response.write(toEvent(present));
  response.on('close', () => {
    ofCall.delete(response);
    pollers.leave(id);
  });
}

function toEvent(call: LiveCall): Buffer {
  const callUpdated = toSelection(call);
  return Buffer.from(`event: next\ndata: ${JSON.stringify({ data: { callUpdated } })}\n\n`);
}

/** The selection of the subscribers. */
function toSelection(call: LiveCall) {
  return {
    id: call.id,
    status: call.status,
    direction: call.direction,
    toPhoneNumber: call.to_phone_number,
    fromPhoneNumber: call.from_phone_number,
    createdAt: call.created_at,
    callsCount: call.calls_count,
    callAttempts: call.call_attempts?.map((attempt) => ({
      id: attempt.id,
      status: attempt.status,
      startedAt: attempt.started_at,
    })),
  };
}
