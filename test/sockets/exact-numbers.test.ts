import { describe, expect, test } from 'vitest';
import { serveTestGateway } from '../support/served-gateway.ts';
import { KEY_A } from '../support/test-gateway.ts';

const BIG = '750727362669608961';
const PAYLOAD = `{"id":${BIG},"list":[-${BIG},1e400,-0,0.1000000000000000055511151231257827,1.5],"text":"\\ud800 ${BIG}"}`;

/** Sets a key to a value that JavaScript cannot hold. */
const withKey = (key: string, value: string) => (json: string) =>
  json.replace(
    new RegExp(`"${key}":(?:null|\\{[^{}]*\\}|"[^"]*"|[\\d.]+)`, 'g'),
    `"${key}":${value}`,
  );

async function send(url: string, query: string, accept = 'application/json'): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify({ query }),
  });
  return response.text();
}

describe('Numbers that JavaScript cannot hold, over sockets', () => {
  test('free-form payloads reach the client with the same digits, on every pipeline and from the cache', async () => {
    await using served = await serveTestGateway();
    const { control } = served.sandbox;
    const { id } = control.data(KEY_A).calls.find(({ call_attempts: [one] }) => one)!;
    control.rewrite('/call/', (json) => {
      const body = JSON.parse(json);
      const attempt = {
        ...body.call.call_attempts[0],
        structured_output: 'MARK',
        transcript: [{ role: 'tool', content: '', tool_arguments: 'MARK' }],
      };
      const call = { ...body.call, metadata: 'MARK', call_attempts: [attempt] };
      call.assistant = { ...call.assistant, llm_model: { type: 'newer', size: 'NUMBER' } };
      return JSON.stringify({ call }).replaceAll('"MARK"', PAYLOAD).replaceAll('"NUMBER"', BIG);
    });
    const query = `{ call(id: "${id}") { metadata callAttempts { structuredOutput transcript { toolArguments } }
      assistant { llmModel { ... on UnrecognizedLlmModel { raw } } } } }`;
    const expected = [
      `"metadata":${PAYLOAD}`,
      `"structuredOutput":${PAYLOAD}`,
      `"toolArguments":${PAYLOAD}`,
      `"raw":{"type":"newer","size":${BIG}}`,
    ];
    // Yoga executes the first operation, the fast path or a cache the next ones.
    for (const media of ['application/json', 'application/graphql-response+json']) {
      for (let repetition = 0; repetition < 3; repetition += 1) {
        const text = await send(served.url, query, media);
        for (const part of expected) expect(text).toContain(part);
      }
    }
    expect(served.traffic()).toEqual([`GET /call/${id}`]);
    expect(served.unexpectedErrors).toEqual([]);
  });

  test('the input of a row keeps its digits', async () => {
    await using served = await serveTestGateway();
    const { control } = served.sandbox;
    const [campaignId] = Object.entries(control.data(KEY_A).rows).find(([, { length }]) => length)!;
    control.rewrite(/\/rows/, withKey('input_data', PAYLOAD));
    const rows = await send(
      served.url,
      `{ campaign(id: "${campaignId}") { rows(first: 1) { nodes { inputData } } } }`,
    );
    expect(rows).toContain(`"inputData":${PAYLOAD}`);
    expect(served.traffic()).toHaveLength(2);
  });

  test('ids that arrive as numbers keep their digits, and the objects are found by them', async () => {
    await using served = await serveTestGateway();
    const { control } = served.sandbox;
    const call = control.data(KEY_A).calls[0]!;
    control.rewrite('/call/', (json) =>
      json.replaceAll(`"${call.id}"`, BIG).replaceAll(`"${call.assistant?.id}"`, `${BIG}0`),
    );
    control.corrupt(`/call/${BIG}`, JSON.stringify({ call }).replace(`"${call.id}"`, BIG));
    const result = await send(served.url, `{ call(id: "${BIG}") { id assistant { id } } }`);
    expect(JSON.parse(result).data.call).toEqual({ id: BIG, assistant: { id: `${BIG}0` } });
    expect(served.traffic()).toEqual([`GET /call/${BIG}`]);
    expect(served.unexpectedErrors).toEqual([]);
  });

  test('a list whose ids are numbers is walked by cursors, and no two ids become one', async () => {
    await using served = await serveTestGateway();
    const { control } = served.sandbox;
    const ids = control
      .data(KEY_A)
      .attempts.slice(0, 60)
      .map(({ id }) => id);
    control.data(KEY_A).attempts.splice(60);
    // Neighbouring integers that are the same number in JavaScript.
    control.rewrite('/call?', (json) =>
      ids.reduce(
        (text, id, index) => text.replaceAll(`"${id}"`, `7507273626696${10_000 + index}`),
        json,
      ),
    );
    const seen: string[] = [];
    for (let after: string | null = null; seen.length === 0 || after; ) {
      const argument: string = after ? `, after: "${after}"` : '';
      const page = JSON.parse(
        await send(
          served.url,
          `{ callAttempts(first: 20${argument}) { nodes { id } pageInfo { hasNextPage endCursor } } }`,
        ),
      ).data.callAttempts;
      seen.push(...page.nodes.map(({ id }: { id: string }) => id));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    }
    expect(seen).toEqual(ids.map((_, index) => `7507273626696${10_000 + index}`));
    expect(served.unexpectedErrors).toEqual([]);
  });

  test('typed fields read such a number as before, and an object field does not take it for an object', async () => {
    await using served = await serveTestGateway();
    const { control } = served.sandbox;
    const { id } = control.data(KEY_A).assistants[0]!;
    control.rewrite('/assistants/', (json) => {
      const rewritten = JSON.parse(json);
      const changed = { ...rewritten, voice: 'BIG', name: 'BIG', max_call_duration_secs: 'LONG' };
      return JSON.stringify(changed)
        .replaceAll('"BIG"', BIG)
        .replace('"LONG"', '1.50000000000000000001');
    });
    const { data } = JSON.parse(
      await send(
        served.url,
        `{ assistant(id: "${id}") { name maxCallDurationSecs voice { speed } } }`,
      ),
    );
    expect(data.assistant).toEqual({ name: BIG, maxCallDurationSecs: 1.5, voice: null });
    expect(served.traffic()).toEqual([`GET /assistants/${id}`]);
  });
});
