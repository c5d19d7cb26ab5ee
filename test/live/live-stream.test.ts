import { describe, expect, test } from 'vitest';
import { sseFraming } from '#http/streams/sse.ts';
import { LiveStream } from '#live/live-stream.ts';
import { toSerializedEvent } from '#live/serialized-event.ts';
import { createWriteTurns, type WaitingWriter, type WriteTurns } from '#live/write-turns.ts';

const SECOND = 1_000;

/** A stream to a client that reads only when the test says so. */
function createScene({
  lastEventId,
  isRouter = false,
  writeTurns = createWriteTurns(() => 0, setImmediate),
}: {
  readonly lastEventId?: string | undefined;
  readonly isRouter?: boolean;
  readonly writeTurns?: WriteTurns;
} = {}) {
  let now = 0;
  const written: string[] = [];
  const ends: string[] = [];
  const sink = { isReading: true, isEnded: false, isDestroyed: false };
  let coalesced = 0;
  const stream = new LiveStream({
    framing: sseFraming,
    lastEventId,
    isRouter,
    endsAt: Number.POSITIVE_INFINITY,
    endsBecause: 'lifetime',
    keepAliveMs: 10 * SECOND,
    writeTurns,
    monotonicNow: () => now,
    random: () => 1,
    onCoalesced() {
      coalesced += 1;
    },
    onEnd: (reason) => ends.push(reason),
  });
  return {
    stream,
    written,
    ends,
    sink,
    coalesced: () => coalesced,
    attach: () =>
      stream.attach({
        write(bytes) {
          written.push(Buffer.from(bytes).toString());
          return sink.isReading;
        },
        end() {
          sink.isEnded = true;
        },
        destroy() {
          sink.isDestroyed = true;
        },
      }),
    pass(ms: number) {
      for (const end = now + ms; now < end; ) {
        now += SECOND;
        stream.tick(now);
      }
    },
  };
}

const event = (json: string) => toSerializedEvent({ json, comparedJson: json, dataAt: 1 });
const frame = (json: string) => {
  const { id } = event(json);
  return `event: next\ndata: ${json}\nid: ${id}\n\n`;
};

describe('Frames of an event stream', () => {
  test('an event, each end and a keepalive have exactly these bytes', () => {
    const { opening, keepAlive, toFrame, toEnding } = sseFraming;
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
    expect(text(opening)).toBe(':\n\n');
    expect(text(keepAlive)).toBe(':\n\n');
    expect(text(toFrame('{"data":"é"}', 'x'))).toBe('event: next\ndata: {"data":"é"}\nid: x\n\n');
    expect(text(toFrame('{}', undefined))).toBe('event: next\ndata: {}\n\n');
    const complete = 'event: complete\ndata:\nid: over\n\n';
    const next = 'event: next\ndata: {"errors":[]}\n\n';
    const json = '{"errors":[]}';
    expect(text(toEnding({ reason: 'over' }, false))).toBe(complete);
    expect(text(toEnding({ reason: 'rejected', json }, false))).toBe(`${next}${complete}`);
    const retry = 'retry: 1500\n\n';
    expect(text(toEnding({ reason: 'drain', json, retryMs: 1_500 }, false))).toBe(retry);
    expect(text(toEnding({ reason: 'drain', json, retryMs: 1_500 }, true))).toBe(`${next}${retry}`);
    expect(text(toEnding({ reason: 'outage', json, retryMs: 1_500 }, false))).toBe(
      `${next}${retry}`,
    );
  });

  test('two streams send the same bytes of an event, which are made once', () => {
    const shared = event('{"data":1}');
    const buffers: Uint8Array[] = [];
    for (let index = 0; index < 2; index += 1) {
      const { stream } = createScene();
      stream.attach({ write: (bytes) => buffers.push(bytes) > 0, end() {}, destroy() {} });
      stream.push('c', shared);
    }
    expect(buffers[1]).toBe(buffers[3]);
  });
});

describe('Reader that does not read (G5)', () => {
  test('of many events the reader gets the one that was on its way, and the newest', () => {
    const { stream, attach, written, sink, coalesced } = createScene();
    const control = attach();
    sink.isReading = false;
    for (const json of ['1', '2', '3', '4']) stream.push('c', event(json));
    expect(written.slice(1)).toEqual([frame('1')]);
    sink.isReading = true;
    control.onDrain();
    expect(written.slice(1)).toEqual([frame('1'), frame('4')]);
    expect(coalesced()).toBe(2);
  });

  test('the newest event of each call is kept', () => {
    const { stream, attach, written, sink } = createScene();
    const control = attach();
    sink.isReading = false;
    stream.push('a', event('1'));
    for (const json of ['2', '3']) for (const call of ['b', 'c']) stream.push(call, event(json));
    sink.isReading = true;
    control.onDrain();
    expect(written.slice(1)).toEqual([frame('1'), frame('3'), frame('3')]);
  });

  test('the last state and the completion reach a slow reader that reads again (G2)', () => {
    const { stream, attach, written, sink, ends } = createScene();
    const control = attach();
    sink.isReading = false;
    stream.push('c', event('1'));
    stream.push('c', event('2'));
    stream.complete('over');
    expect([sink.isEnded, ends]).toEqual([false, []]);
    sink.isReading = true;
    control.onDrain();
    expect(written.slice(2)).toEqual([frame('2'), 'event: complete\ndata:\nid: over\n\n']);
    expect([sink.isEnded, ends]).toEqual([true, ['over']]);
  });

  test('a reader that takes nothing for 30 s is disconnected, and gets no keepalives meanwhile', () => {
    const { stream, attach, written, sink, ends, pass } = createScene();
    attach();
    sink.isReading = false;
    stream.push('c', event('1'));
    pass(29 * SECOND);
    expect([written.length, sink.isDestroyed]).toEqual([2, false]);
    pass(2 * SECOND);
    expect([sink.isDestroyed, ends]).toEqual([true, ['slow']]);
  });
});

describe('Stream that waits for its turn to write', () => {
  function createWaitingScene() {
    const waiting: WaitingWriter[] = [];
    const scene = createScene({
      writeTurns: {
        take(writer) {
          waiting.push(writer);
          return false;
        },
      },
    });
    scene.attach();
    return { ...scene, waiting };
  }

  test('it writes the newest event of each call, and asks for its turn once', () => {
    const { stream, written, waiting, coalesced } = createWaitingScene();
    for (const json of ['1', '2']) for (const call of ['a', 'b']) stream.push(call, event(json));
    expect([written.length, waiting.length]).toEqual([1, 1]);
    waiting.shift()?.onTurn();
    expect(written.slice(1)).toEqual([frame('2'), frame('2')]);
    expect(coalesced()).toBe(2);
    stream.push('a', event('3'));
    expect(waiting.length).toBe(1);
  });

  test('it ends after its last event (G2)', () => {
    const { stream, written, waiting, ends } = createWaitingScene();
    stream.push('a', event('1'));
    stream.complete('over');
    expect([written.length, ends]).toEqual([1, []]);
    waiting.shift()?.onTurn();
    expect(written.slice(1)).toEqual([frame('1'), 'event: complete\ndata:\nid: over\n\n']);
    expect(ends).toEqual(['over']);
  });

  test('its keepalive waits, too', () => {
    const { written, waiting, pass } = createWaitingScene();
    pass(12 * SECOND);
    expect([written.length, waiting.length]).toEqual([1, 1]);
    waiting.shift()?.onTurn();
    expect(written.slice(1)).toEqual([':\n\n']);
  });

  test('a client that leaves meanwhile gets nothing', () => {
    const { stream, written, waiting } = createWaitingScene();
    stream.push('a', event('1'));
    stream.onClose();
    waiting.shift()?.onTurn();
    expect(written.length).toBe(1);
  });
});

describe('Quiet stream', () => {
  test('a keepalive is sent after ten seconds without an event', () => {
    const { stream, attach, written, pass } = createScene();
    attach();
    pass(8 * SECOND);
    stream.push('c', event('1'));
    pass(9 * SECOND);
    expect(written).toEqual([':\n\n', frame('1')]);
    pass(12 * SECOND);
    expect(written.slice(2)).toEqual([':\n\n', ':\n\n']);
  });

  test('a stream whose response is never sent ends by itself', () => {
    const { stream, pass, ends, attach, sink } = createScene();
    stream.push('c', event('1'));
    pass(12 * SECOND);
    expect(ends).toEqual(['client']);
    attach();
    expect(sink.isDestroyed).toBe(true);
  });

  test('a client that leaves ends the stream once', () => {
    const { stream, attach, ends, written } = createScene();
    const control = attach();
    control.onClose();
    control.onClose();
    stream.push('c', event('1'));
    stream.complete('over');
    expect([ends, written]).toEqual([['client'], [':\n\n']]);
  });

  test.each([
    ['client', false, [':\n\n', frame('2')]],
    ['router', true, [':\n\n', frame('1'), frame('2')]],
  ] as const)(
    'a %s that subscribes again with the id of the present state gets these events',
    (_, isRouter, frames) => {
      const { stream, attach, written } = createScene({ lastEventId: event('1').id, isRouter });
      attach();
      stream.push('c', event('1'));
      stream.push('c', event('2'));
      expect(written).toEqual(frames);
    },
  );
});
