import type { CohortOptions } from './cohort-options.ts';
import type { LiveEvent } from './live-source.ts';
import type { LiveStream } from './live-stream.ts';
import { toEndingJson } from './stream-ending.ts';

/** Ends streams with the error of an event. The execution masks the error, and serializes it once. */
export async function endWithError(
  { execute, events, toRetryMs }: Pick<CohortOptions, 'execute' | 'events' | 'toRetryMs'>,
  streams: readonly LiveStream[],
  event: LiveEvent,
  end: (stream: LiveStream, json: string) => void,
): Promise<void> {
  try {
    const { json } = await execute(event);
    const endingJson = toEndingJson(json);
    for (const stream of streams) end(stream, endingJson);
  } catch (failure) {
    events.onUnexpectedError(failure);
    for (const stream of streams) stream.interrupt('bug', toRetryMs());
  }
}
