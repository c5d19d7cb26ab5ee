import { describe, expect, test } from 'vitest';
import {
  frameOf,
  toRecoveredEvent,
  toSerializedEvent,
  toSkippedEvent,
  toStaleEvent,
} from '#live/serialized-event.ts';

/** More digits than a JavaScript number has. */
const DATA = '"data":{"callUpdated":{"metadata":{"order":12345678901234567890.10,"text":"}"}}}';
const ERRORS = '"errors":[{"message":"\\"data\\":","path":["callUpdated","campaign"]}]';
const SINCE = Date.UTC(2026, 5, 1, 12);
const LIVE =
  '"live":{"stale":true,"since":"2026-06-01T12:00:00.000Z","code":"UPSTREAM_UNAVAILABLE"}';

const event = (comparedJson: string, dataAt?: number, extensions = '') =>
  toSerializedEvent({
    json: `${comparedJson.slice(0, -1)}${extensions}}`,
    comparedJson,
    dataAt,
  });
const withoutErrors = event(`{${DATA}}`, 1);
const withErrors = event(`{${ERRORS},${DATA}}`, ERRORS.length + 2);
const withoutData = event(`{${ERRORS}}`);
const withExtensions = event(`{${DATA}}`, 1, ',"extensions":{"upstream":{"requests":1}}');

describe('Event that reports an outage', () => {
  test.each([
    ['an event', withoutErrors, DATA],
    ['an event with errors', withErrors, DATA],
    ['an event with extensions', withExtensions, DATA],
    ['an event without data', withoutData, '"data":null'],
  ])('%s is sent with its data alone, to the digit', (_, last, data) => {
    const stale = toStaleEvent(last, SINCE, 'UPSTREAM_UNAVAILABLE');
    expect(stale.json).toBe(`{${data},"extensions":{${LIVE}}}`);
    // The next reading is compared with what was read last.
    expect(stale.comparedJson).toBe(last.comparedJson);
    // A client that connects again with this id has not got the state without the outage.
    expect(stale.id).not.toBe(last.id);
    // An event shows a second outage, too.
    expect(toStaleEvent(stale, SINCE, 'UPSTREAM_UNAVAILABLE').json).toBe(stale.json);
  });
});

test.each([
  ['that an outage is over', toRecoveredEvent, '"live":{"stale":false}'],
  ['that events were skipped', toSkippedEvent, '"live":{"skipped":true}'],
])('an event can say %s', (_, toNoted, note) => {
  const { json, comparedJson, id } = toNoted(withErrors);
  expect(json).toBe(`{${ERRORS},${DATA},"extensions":{${note}}}`);
  expect([comparedJson, id]).toEqual([withErrors.comparedJson, withErrors.id]);
  expect(toNoted(withExtensions).json).toBe(
    `{${DATA},"extensions":{"upstream":{"requests":1},${note}}}`,
  );
});

test('the id of an event depends on data and errors, not on extensions', () => {
  expect(withoutErrors.id).toBe(withExtensions.id);
  expect(withoutErrors.id).not.toBe(withErrors.id);
  expect(withoutErrors.id).toMatch(/^[\w-]{16}$/);
});

test('an event is framed once for each transport, and again with another note', () => {
  const calls: unknown[] = [];
  const framing = (transport: string) => ({
    transport,
    opening: new Uint8Array(),
    keepAlive: new Uint8Array(),
    toFrame(json: string, id: string | undefined) {
      calls.push([transport, id]);
      return Buffer.from(json);
    },
    toEnding: () => new Uint8Array(),
  });
  const [sse, multipart] = [framing('sse'), framing('multipart')];
  const recovered = toRecoveredEvent(withoutErrors);
  for (const each of [withoutErrors, recovered])
    for (const transport of [sse, sse, multipart]) {
      expect(frameOf(each, transport)).toBe(frameOf(each, transport));
      expect(frameOf(each, transport).toString()).toBe(each.json);
    }
  expect(calls).toEqual(
    [withoutErrors, recovered].flatMap(({ id }) => [
      ['sse', id],
      ['multipart', id],
    ]),
  );
});
