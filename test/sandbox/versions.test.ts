import { describe, expect, test } from 'vitest';
import { API_VERSIONS, type ApiVersion } from '#sandbox/api/versions.ts';
import { sampleIds } from '#sandbox/sample-ids.ts';
import { createSandbox } from '#sandbox/sandbox.ts';
import { fetchJson, STARTED_AT } from './sandbox-requests.ts';

const documented = createSandbox({ startedAt: STARTED_AT, now: () => STARTED_AT });
const ids = sampleIds(documented);
const sandboxOfVersion = (version: ApiVersion) =>
  createSandbox({ startedAt: STARTED_AT, now: () => STARTED_AT, version });

async function callIn(version: ApiVersion) {
  return (await fetchJson(sandboxOfVersion(version), `/call/${ids.richCallId}`)).json.call;
}
async function assistantIn(version: ApiVersion) {
  return (await fetchJson(sandboxOfVersion(version), `/assistants/${ids.frenchAssistantId}`)).json;
}
async function rowsIn(version: ApiVersion) {
  return (
    await fetchJson(
      sandboxOfVersion(version),
      `/campaigns/${ids.largeCampaignId}/rows?page=1&page_size=2`,
    )
  ).json;
}

describe('API versions of the sandbox', () => {
  test('each API version has its known number of order keys', async () => {
    expect(Object.keys(await callIn('oldest'))).toHaveLength(12);
    expect(Object.keys(await callIn('0.0.2'))).toHaveLength(16);
    expect(Object.keys(await callIn('documented'))).toHaveLength(19);
    expect(Object.keys(await callIn('0.5.0'))).toHaveLength(22);
  });

  test('each API version has its known number of assistant keys', async () => {
    const optional = ['faq_items', 'pending_faq_count'];
    const required = (assistant: object) =>
      Object.keys(assistant).filter((key) => !optional.includes(key));
    expect(required(await assistantIn('oldest'))).toHaveLength(14);
    expect(required(await assistantIn('0.0.2'))).toHaveLength(21);
    expect(required(await assistantIn('later'))).toHaveLength(29);
    expect(await assistantIn('0.5.0')).not.toHaveProperty('transfer_phone_number');
  });

  test('each API version has its known form of retry configuration: flat, with windows, and with days', async () => {
    expect(Object.keys((await callIn('oldest')).call_retry_config).sort()).toEqual([
      'calling_window_end_time',
      'calling_window_start_time',
      'max_retry_attempts',
      'retry_delay_seconds',
      'timezone',
    ]);
    expect((await callIn('0.0.2')).call_retry_config).toHaveProperty('calling_windows');
    expect((await callIn('later')).assistant.call_retry_config).toMatchObject({
      allowed_days: expect.any(Array),
      calling_windows: expect.any(Array),
    });
  });

  test('the first API versions have no order status, and the latest has a new one', async () => {
    expect(await callIn('0.0.2')).not.toHaveProperty('status');
    const sandbox = sandboxOfVersion('0.5.0');
    const scheduled = sandbox.control
      .data('sk_demo_a')
      .calls.find(({ status }) => status === 'scheduled')!;
    expect((await fetchJson(sandbox, `/call/${scheduled.id}`)).json.call.status).toBe('paused');
  });

  test('each API version has its known page of rows, with a total or with the rows only', async () => {
    expect(Object.keys(await rowsIn('later')).sort()).toEqual([
      'page',
      'page_size',
      'rows',
      'total',
    ]);
    expect(Object.keys(await rowsIn('0.5.0'))).toEqual(['rows']);
    expect((await rowsIn('0.5.0')).rows[0].call).toHaveProperty('outcome');
  });
});

describe('All API versions of the sandbox', () => {
  test.each(API_VERSIONS)(
    'API version %s changes neither the data nor rejections',
    async (version) => {
      const sandbox = sandboxOfVersion(version);
      const before = structuredClone(sandbox.control.data('sk_demo_a').calls[0]);
      await fetchJson(sandbox, `/call/${before!.id}`);
      expect(sandbox.control.data('sk_demo_a').calls[0]).toEqual(before);
      expect((await fetchJson(sandbox, '/call/absent')).json).toEqual({
        message: 'Call not found',
      });
    },
  );

  test('respondAs serves another API version for some requests', async () => {
    const sandbox = sandboxOfVersion('documented');
    sandbox.control.respondAs('0.0.2', '/call/', 1);
    expect((await fetchJson(sandbox, '/assistants')).json.assistants[0]).toHaveProperty(
      'llm_model',
    );
    expect((await fetchJson(sandbox, `/call/${ids.richCallId}`)).json.call).toEqual(
      await callIn('0.0.2'),
    );
    expect((await fetchJson(sandbox, `/call/${ids.richCallId}`)).json.call).toEqual(
      await callIn('documented'),
    );
  });
});
