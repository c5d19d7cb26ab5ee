import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A call of the sandbox by what the tests change. */
export interface PutCall {
  readonly apiKey: string;
  readonly id: string;
  readonly status?: 'calling' | 'scheduled' | 'completed';
  readonly to_phone_number?: string;
}

export interface UpstreamMessage {
  readonly number: number;
  readonly put?: readonly PutCall[];
  /** How many attempts come new into the list. */
  readonly insert?: number;
  /** The calls that become the rows of their campaign, in this order. */
  readonly rows?: readonly string[];
}

export interface RecordedRequest {
  readonly path: string;
  /** When the request arrived, in ms. */
  readonly at: number;
  readonly organizationId: string | null;
}

export interface UpstreamReply {
  readonly number: number;
  readonly log: readonly RecordedRequest[];
}

export interface RecordingUpstream extends AsyncDisposable {
  readonly url: string;
  /** Adds calls, or replaces them. */
  put(calls: readonly PutCall[]): Promise<void>;
  /** Makes these calls the rows of the sandbox's first campaign. @param ids in order */
  putCampaign(ids: readonly string[]): Promise<void>;
  /** Inserts attempts at the newest end of the list. */
  insert(count: number): Promise<void>;
  /** All requests until now. */
  requests(): Promise<readonly RecordedRequest[]>;
}

/** Starts the sandbox in a process of its own, which is killed at the end of the scope. */
export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const child = fork(join(import.meta.dirname, 'recording-upstream.main.ts'), {
    execArgv: [],
    env: { PATH: process.env.PATH },
  });
  const ended = once(child, 'exit');
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  const waiting = new Map<number, () => void>();
  const requests: RecordedRequest[] = [];
  let lastNumber = 0;
  child.on('message', ({ number, log }: UpstreamReply) => {
    requests.push(...log);
    waiting.get(number)?.();
    waiting.delete(number);
  });
  const send = (message: Omit<UpstreamMessage, 'number'>) =>
    new Promise<void>((resolve) => {
      lastNumber += 1;
      waiting.set(lastNumber, resolve);
      child.send({ number: lastNumber, ...message } satisfies UpstreamMessage);
    });
  return {
    url,
    put: (calls) => send({ put: calls }),
    putCampaign: (ids) => send({ rows: ids }),
    insert: (count) => send({ insert: count }),
    async requests() {
      await send({});
      return [...requests];
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
