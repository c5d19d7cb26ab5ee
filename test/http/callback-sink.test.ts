import { describe, expect, test } from 'vitest';
import { CallbackSink } from '#http/callback/callback-sink.ts';
import { callbackFraming } from '#http/streams/callback.ts';
import { LiveStream } from '#live/live-stream.ts';
import { toSerializedEvent } from '#live/serialized-event.ts';
import { createWriteTurns } from '#live/write-turns.ts';
import { createClock } from '../support/clock.ts';
import { createTimers } from '../support/timers.ts';

/** A stream whose messages the test answers. */
function createScene(checkMs = 0) {
  const clock = createClock();
  const timers = createTimers(clock);
  const sent: string[] = [];
  const responses: PromiseWithResolvers<number>[] = [];
  const ends: string[] = [];
  let closings = 0;
  const stream = new LiveStream({
    framing: callbackFraming,
    lastEventId: undefined,
    isRouter: true,
    endsAt: Number.POSITIVE_INFINITY,
    endsBecause: 'lifetime',
    keepAliveMs: 10_000,
    writeTurns: createWriteTurns(clock.now, setImmediate),
    monotonicNow: clock.now,
    random: () => 0.5,
    onCoalesced: () => {},
    onEnd: (reason) => ends.push(reason),
  });
  const sink = new CallbackSink({
    send(message) {
      sent.push(Buffer.from(message).toString());
      const response = Promise.withResolvers<number>();
      responses.push(response);
      return response.promise;
    },
    checkMs,
    startTimer: timers.startTimer,
    onClosed: () => {
      closings += 1;
    },
  });
  const scene = {
    sink,
    stream,
    pass: timers.pass,
    closings: () => closings,
    pendingTimers: () => timers.pending,
    ends,
    /** What was sent since the last call. */
    sent: () => sent.splice(0),
    push(value: string, key = 'c1') {
      const json = `{"data":"${value}"}`;
      stream.push(key, toSerializedEvent({ json, comparedJson: json, dataAt: 1 }));
    },
    /** Answers the oldest message without a response. @param status undefined: no response */
    async answer(status?: number) {
      const response = responses.shift();
      if (status === undefined) response?.reject(new Error('reset'));
      else response?.resolve(status);
      await timers.pass(0);
    },
    tick: () => stream.tick(clock.now()),
  };
  return scene;
}

const next = (value: string) => `"action":"next","payload":{"data":"${value}"}}`;
const CHECK = '"action":"check"}';
const COMPLETE = '"action":"complete"}';
const SLOW =
  '"action":"complete","errors":[{"message":"The subscription was interrupted: subscribe again.","extensions":{"code":"SUBSCRIPTION_INTERRUPTED","retryAfter":5}}]}';

/** The scene of a stream whose first event is on its way. */
function createOpenScene(checkMs = 0) {
  const scene = createScene(checkMs);
  scene.sink.start(scene.stream);
  scene.push('1');
  expect(scene.sent()).toEqual([next('1')]);
  return scene;
}

/** Nothing is left of a stream. */
async function expectClosed(scene: ReturnType<typeof createScene>, reason: string) {
  expect(scene.sent()).toEqual([]);
  await scene.pass(100_000);
  expect(scene.sent()).toEqual([]);
  expect(scene.ends).toEqual([reason]);
  expect([scene.closings(), scene.pendingTimers()]).toEqual([1, 0]);
}

describe('Messages of a callback subscription', () => {
  test('one is on its way at a time, and the newest event follows', async () => {
    const scene = createOpenScene();
    for (const value of ['2', '3']) scene.push(value);
    expect(scene.sent()).toEqual([]);
    await scene.answer(200);
    expect(scene.sent()).toEqual([next('3')]);
    await scene.answer(200);
    expect([scene.sent(), scene.pendingTimers()]).toEqual([[], 0]);
    scene.push('4');
    expect(scene.sent()).toEqual([next('4')]);
  });

  test('a check is sent once in each interval, also while no event comes', async () => {
    const scene = createOpenScene(800);
    await scene.answer(200);
    await scene.pass(799);
    expect(scene.sent()).toEqual([]);
    await scene.pass(1);
    expect(scene.sent()).toEqual([CHECK]);
    await scene.answer(204);
    expect(scene.sent()).toEqual([]);
    await scene.pass(800);
    expect(scene.sent()).toEqual([CHECK]);
  });

  test('a check that is due waits for the message on its way, and goes before the next one', async () => {
    const scene = createOpenScene(800);
    scene.push('2');
    await scene.pass(1_600);
    expect(scene.sent()).toEqual([]);
    await scene.answer(200);
    expect(scene.sent()).toEqual([CHECK]);
    await scene.answer(204);
    expect(scene.sent()).toEqual([next('2')]);
    await scene.answer(200);
    expect(scene.sent()).toEqual([]);
  });

  test.each([200, 202, 204, 299])('%i is delivered', async (status) => {
    const scene = createOpenScene();
    await scene.answer(status);
    scene.push('2');
    expect(scene.sent()).toEqual([next('2')]);
  });

  test.each([400, 401, 404, 410, 499])(
    '%i ends the stream without another message',
    async (status) => {
      const scene = createOpenScene(800);
      scene.push('2');
      await scene.answer(status);
      await expectClosed(scene, 'client');
    },
  );

  test('a check that gets 404 ends the stream', async () => {
    const scene = createOpenScene(800);
    await scene.answer(200);
    await scene.pass(800);
    expect(scene.sent()).toEqual([CHECK]);
    await scene.answer(404);
    await expectClosed(scene, 'client');
  });
});

describe('Failed message', () => {
  test.each([199, 300, 307, 408, 429, 500, 503, undefined])(
    '%s: it is sent again after 1 s and after 2 s, and then the stream ends',
    async (status) => {
      const scene = createOpenScene();
      scene.push('2');
      for (const ms of [1_000, 2_000]) {
        await scene.answer(status);
        await scene.pass(ms - 1);
        expect(scene.sent()).toEqual([]);
        await scene.pass(1);
        expect(scene.sent()).toEqual([next('1')]);
      }
      await scene.answer(status);
      expect(scene.sent()).toEqual([SLOW]);
      expect([scene.ends, scene.closings()]).toEqual([['slow'], 0]);
      await scene.answer(status);
      await expectClosed(scene, 'slow');
    },
  );

  test('the last message may get a response', async () => {
    const scene = createOpenScene();
    for (const ms of [1_000, 2_000, 0]) {
      await scene.answer(500);
      await scene.pass(ms);
    }
    scene.sent();
    await scene.answer(202);
    await expectClosed(scene, 'slow');
  });

  test('a delivery in between starts the count again', async () => {
    const scene = createOpenScene();
    for (let round = 0; round < 3; round += 1) {
      for (const ms of [1_000, 2_000]) {
        await scene.answer(500);
        await scene.pass(ms);
      }
      await scene.answer(200);
      scene.push(`${round}`);
    }
    expect(scene.sent().filter((message) => message === SLOW)).toEqual([]);
    expect(scene.ends).toEqual([]);
  });

  test('it is sent again before a check, so that checks that succeed do not hide its failures', async () => {
    const scene = createOpenScene(800);
    for (const ms of [1_000, 2_000]) {
      await scene.answer(500);
      await scene.pass(ms);
      expect(scene.sent()).toEqual([next('1')]);
    }
    await scene.answer(500);
    expect(scene.sent()).toEqual([SLOW]);
  });

  test('a check is sent again as a check, and the event follows', async () => {
    const scene = createOpenScene(800);
    await scene.answer(200);
    await scene.pass(800);
    scene.push('2');
    await scene.answer(500);
    await scene.pass(1_000);
    expect(scene.sent()).toEqual([CHECK, CHECK]);
    await scene.answer(204);
    expect(scene.sent()).toEqual([next('2')]);
  });
});

describe('End of a callback subscription', () => {
  test('the last event, then complete, then nothing', async () => {
    const scene = createOpenScene(800);
    scene.push('2');
    scene.stream.complete('over');
    await scene.answer(200);
    expect(scene.sent()).toEqual([next('2')]);
    await scene.answer(200);
    expect(scene.sent()).toEqual([COMPLETE]);
    expect([scene.ends, scene.closings()]).toEqual([['over'], 0]);
    // No check is sent any more.
    await scene.pass(10_000);
    await scene.answer(202);
    await expectClosed(scene, 'over');
  });

  test('a check that is due goes before complete', async () => {
    const scene = createOpenScene(800);
    scene.stream.complete('over');
    await scene.pass(800);
    await scene.answer(200);
    expect(scene.sent()).toEqual([CHECK]);
    await scene.answer(204);
    expect(scene.sent()).toEqual([COMPLETE]);
  });

  test('complete follows a check on its way, and no second check comes', async () => {
    const scene = createOpenScene(800);
    await scene.answer(200);
    await scene.pass(800);
    scene.sent();
    scene.stream.complete('over');
    await scene.answer(500);
    await scene.pass(1_000);
    expect(scene.sent()).toEqual([COMPLETE]);
    await scene.answer(202);
    await expectClosed(scene, 'over');
  });

  test('complete that fails three times is given up', async () => {
    const scene = createOpenScene();
    await scene.answer(200);
    scene.stream.complete('over');
    for (const ms of [1_000, 2_000, 0]) {
      expect(scene.sent()).toEqual([COMPLETE]);
      await scene.answer();
      await scene.pass(ms);
    }
    await expectClosed(scene, 'over');
  });

  test('a stream that is over before it starts gets only complete', async () => {
    const scene = createScene(800);
    scene.stream.complete('over');
    scene.sink.start(scene.stream);
    expect(scene.sent()).toEqual([COMPLETE]);
    await scene.answer(202);
    await expectClosed(scene, 'over');
  });

  test('a router that takes nothing for 30 s gets one last message beside the one on its way', async () => {
    const scene = createOpenScene(800);
    await scene.pass(30_000);
    scene.tick();
    expect(scene.sent()).toEqual([SLOW]);
    // Neither response counts any more.
    await scene.answer(500);
    await scene.answer(202);
    await expectClosed(scene, 'slow');
  });

  test('a message that waits to be sent again is dropped with the stream', async () => {
    const scene = createOpenScene();
    await scene.answer(500);
    scene.stream.disconnect();
    expect(scene.sent()).toEqual([SLOW]);
    await scene.answer(202);
    await expectClosed(scene, 'slow');
  });

  test('close sends nothing more, whatever is on its way', async () => {
    const scene = createOpenScene(800);
    scene.push('2');
    for (let times = 0; times < 2; times += 1) scene.sink.close();
    scene.sink.destroy();
    await scene.answer(200);
    await expectClosed(scene, 'client');
  });

  test('close before the start ends the stream', async () => {
    const scene = createScene(800);
    scene.sink.close();
    scene.sink.start(scene.stream);
    await expectClosed(scene, 'client');
  });
});
