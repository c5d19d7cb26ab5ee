import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ArgumentRule, checkArgument, checkOptions, FUNCTION } from '#check-arguments.ts';
import { createRecording, RECORDINGS_URL } from '#sandbox/data/recordings.ts';
import {
  type ControlledDemo,
  describeActions,
  InvalidCommandError,
  runCommand,
} from './demo-control.ts';
import type { Sandbox } from './sandbox.ts';
import { SANDBOX } from './sandbox-options.ts';

/** What only a demo needs, beside the API. */
export interface DemoEndpoints {
  /** Whether the request is none of the API: then it gets a response here. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): boolean;
  /** Replaces the URLs of recordings in a response of the API, so that they play. */
  rewrite(body: string, origin: string): string;
}

export interface DemoEndpointsOptions {
  /**
   * Replaces the gateway in front of the sandbox by a new one; for the action `restart`.
   * @default the action is refused
   */
  readonly restart?: () => void;
}

const MAX_COMMAND_BYTES = 65_536;

const OPTIONS: { readonly [Name in keyof Required<DemoEndpointsOptions>]: ArgumentRule } = {
  restart: FUNCTION,
};

/**
 * - `GET /recordings/…`: a short recording, for every call the same.
 * - `POST /control`: changes the data or adds faults, for end-to-end tests. `GET` lists the actions.
 * @throws TypeError for a wrong argument
 */
export function createDemoEndpoints(
  sandbox: Sandbox,
  options: DemoEndpointsOptions = {},
): DemoEndpoints {
  checkArgument('The first argument of createDemoEndpoints', sandbox, SANDBOX);
  checkOptions('createDemoEndpoints', options, OPTIONS);
  const demo = { sandbox, restart: options.restart };
  const recording = createRecording();
  return {
    handle(incoming, outgoing) {
      const [path = '/'] = (incoming.url ?? '/').split('?');
      if (path.startsWith('/recordings/')) {
        outgoing.writeHead(200, {
          'content-type': 'audio/wav',
          'content-length': recording.length,
        });
        outgoing.end(incoming.method === 'HEAD' ? undefined : recording);
        return true;
      }
      if (path !== '/control' && path !== '/control/') return false;
      void respondToCommand(demo, incoming, outgoing);
      return true;
    },
    rewrite: (body, origin) => body.replaceAll(RECORDINGS_URL, `${origin}/recordings/`),
  };
}

async function respondToCommand(
  demo: ControlledDemo,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method, headers } = incoming;
  if (method === 'GET' || method === 'HEAD') {
    send(outgoing, 200, 'text/plain; charset=utf-8', describeActions());
    return;
  }
  if (method !== 'POST') {
    outgoing.setHeader('allow', 'GET, HEAD, POST');
    sendJson(outgoing, 405, { message: 'The method of a command must be POST.' });
    return;
  }
  // A page of another origin can send text without asking first, and no JSON.
  if (!/^application\/json\b/.test(headers['content-type'] ?? '')) {
    sendJson(outgoing, 415, { message: 'The Content-Type must be application/json.' });
    return;
  }
  try {
    sendJson(outgoing, 200, runCommand(demo, await readText(incoming)));
  } catch (error) {
    if (error instanceof InvalidCommandError) sendJson(outgoing, 400, { message: error.message });
    else incoming.socket.destroy();
  }
}

/** @throws InvalidCommandError */
async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_COMMAND_BYTES)
      throw new InvalidCommandError(`The body must have at most ${MAX_COMMAND_BYTES} bytes.`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function sendJson(outgoing: ServerResponse, status: number, body: object): void {
  send(outgoing, status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`);
}

function send(outgoing: ServerResponse, status: number, type: string, body: string): void {
  outgoing.writeHead(status, { 'content-type': type });
  outgoing.end(body);
}
