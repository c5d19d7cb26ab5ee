import { isCallOver } from '#cache/freshness.ts';
import { objectPaths } from '#rest/revox-api.ts';
import { isPartialCall } from '#rest/whole-calls.ts';
import { createOpenCallRows, toListKey } from './call-rows.ts';
import type { ObjectKind } from './object-kind.ts';
import { toCallInterval } from './pace.ts';
import { toAssistantId, toCallProgress, toCallRank } from './progress.ts';

/** A call is over when its order and all of its attempts are. */
export const callKind: ObjectKind = {
  name: 'call',
  toPath: objectPaths.call,
  read: (rest, id, options) => rest.readCall(id, options),
  createOpenList: createOpenCallRows,
  isPartial: isPartialCall,
  firstInterval: ({ callMs }) => callMs,
  maxAge: ({ liveCallMs }) => liveCallMs,
  toState(call) {
    const progress = toCallProgress(call);
    const isOver = isCallOver(call);
    return {
      isOver,
      // A call without attempts has no transcript, recording or structured output.
      settles: progress.attempts > 0,
      endedAt: progress.endedAt,
      rank: toCallRank(progress),
      listKey: toListKey(call),
      assistantId: toAssistantId(call),
      toInterval: (input, settings) => toCallInterval({ ...input, progress, isOver }, settings),
    };
  },
};
