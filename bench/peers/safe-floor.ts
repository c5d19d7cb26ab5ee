/**
 * The safe floor: what a correct gateway cannot avoid. `node:http`, one request of undici, and
 * `JSON.parse`, the selected fields, `JSON.stringify`. It knows only the documents of the table, and
 * has no GraphQL, checks, limits, metrics and log. Q3 needs 21 requests: each call, and the list of
 * assistants.
 */
import { createServer, type IncomingMessage } from 'node:http';
import { Pool } from 'undici';
import { kindOf } from '../fixture/operations.ts';
import { AUTHORIZATION, HOST, port, upstreamUrl } from './environment.ts';
import { type Assistant, type Call, type CallAttempt, toPagePath } from './schema.ts';

interface Body {
  readonly query: string;
  readonly variables?: Variables;
}
type Variables = Readonly<Record<string, string>> & { readonly statuses?: readonly string[] };
type Execute = (variables: Variables) => Promise<object>;

const { origin, pathname } = new URL(upstreamUrl);
const pool = new Pool(origin, { connections: 64 });

const executeByDocument = new Map<string, Execute>([
  [
    kindOf('Q1').at(0).query,
    async ({ id = '' }) => {
      const call = await getCall(id);
      return {
        call: {
          id: call.id,
          status: call.status.toUpperCase(),
          direction: call.direction.toUpperCase(),
          toPhoneNumber: call.to_phone_number,
          fromPhoneNumber: call.from_phone_number,
          createdAt: call.created_at,
        },
      };
    },
  ],
  [
    kindOf('Q2').at(0).query,
    async ({ statuses = [] }) => {
      const path = toPagePath({ first: 50, statuses });
      const { calls } = await get<{ calls: CallAttempt[] }>(path);
      return { callAttempts: { nodes: calls.map(toAttempt) } };
    },
  ],
  [kindOf('Q3').at(0).query, executeMany],
  [kindOf('Q4').at(0).query, async () => ({ __typename: 'Query' })],
]);

createServer(async (request, response) => {
  const { query, variables = {} } = JSON.parse(await readBody(request)) as Body;
  const data = await executeByDocument.get(query)?.(variables);
  const body = Buffer.from(JSON.stringify({ data }));
  response
    .writeHead(data ? 200 : 404, {
      'content-type': 'application/json',
      'content-length': body.byteLength,
    })
    .end(body);
}).listen(port, HOST);

async function executeMany(variables: Variables): Promise<object> {
  const names = Object.keys(variables);
  const list = get<{ assistants: Assistant[] }>('/assistants');
  const calls = new Map(
    await Promise.all(
      names
        .filter((name) => name.startsWith('c'))
        .map(async (name) => [name, await getCall(variables[name] ?? '')] as const),
    ),
  );
  const assistants = new Map((await list).assistants.map((one) => [one.id, one]));
  return Object.fromEntries(
    names.map((name) => {
      const call = calls.get(name);
      return [name, call ? toCall(call) : toAssistant(assistants.get(variables[name] ?? ''))];
    }),
  );
}

function toCall({ id, status, assistant }: Call) {
  return { id, status: status.toUpperCase(), assistant: toAssistant(assistant) };
}

function toAssistant(assistant: Assistant | null | undefined) {
  return assistant && { id: assistant.id, name: assistant.name };
}

function toAttempt(attempt: CallAttempt) {
  return {
    id: attempt.id,
    status: attempt.status.toUpperCase(),
    phoneNumber: attempt.phone_number,
    startedAt: attempt.started_at,
    endedAt: attempt.ended_at,
  };
}

async function getCall(id: string): Promise<Call> {
  return (await get<{ call: Call }>(`/call/${id}`)).call;
}

async function get<T>(path: string): Promise<T> {
  const { statusCode, body } = await pool.request({
    method: 'GET',
    path: `${pathname}${path}`,
    headers: { authorization: AUTHORIZATION },
  });
  if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode}`);
  return JSON.parse(await body.text()) as T;
}

function readBody(request: IncomingMessage): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => resolve(String(Buffer.concat(chunks))));
  return promise;
}
