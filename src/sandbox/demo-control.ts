import { repeatsBasePath } from './base-path.ts';
import { HEADERS } from './fault-control.ts';
import type { Sandbox } from './sandbox.ts';

/** A command that cannot be run. The message says what would be right. */
export class InvalidCommandError extends Error {
  override readonly name = 'InvalidCommandError';
}

interface Action {
  /** For the list of all actions. */
  readonly example: object;
  /** The properties beside those of the example. */
  readonly optional: readonly string[];
  readonly effect: string;
  run(demo: ControlledDemo, command: Command): object;
}

/** What commands control. */
export interface ControlledDemo {
  readonly sandbox: Sandbox;
  /** Replaces the gateway by a new one. Undefined if the sandbox is served without a gateway. */
  readonly restart: (() => void) | undefined;
}

const MAX_MS = 3_600_000;

const actions: { readonly [name: string]: Action } = {
  fail: {
    example: { path: '/campaigns', status: 429, headers: { 'retry-after': '40' }, times: 1 },
    optional: [],
    effect: 'responds with this status to requests whose path begins with `path`',
    run({ sandbox }, command) {
      const { control } = sandbox;
      const times = command.times();
      control.fail(command.path(sandbox), {
        status: command.number('status', 400, 599),
        headers: command.headers(),
        ...(times === undefined ? {} : { times }),
      });
      return {};
    },
  },
  delay: {
    example: { path: '/call', ms: 3000 },
    optional: ['times'],
    effect: 'delays the responses',
    run({ sandbox }, command) {
      sandbox.control.delay(
        command.path(sandbox),
        command.number('ms', 1, MAX_MS),
        command.times(),
      );
      return {};
    },
  },
  reset: {
    example: { path: '/' },
    optional: ['times'],
    effect: 'breaks the connections',
    run({ sandbox }, command) {
      sandbox.control.reset(command.path(sandbox), command.times());
      return {};
    },
  },
  replace: {
    example: { path: '/call/', property: 'status', value: 'on-hold' },
    optional: ['times'],
    effect: 'replaces each property of this name, for example by a value that the schema lacks',
    run({ sandbox }, command) {
      sandbox.control.replace(
        command.path(sandbox),
        command.text('property'),
        command.value('value'),
        command.times(),
      );
      return {};
    },
  },
  'start-call': {
    example: { queueMs: 2000, ringMs: 3000, talkMs: 20000 },
    optional: ['apiKey'],
    effect: 'starts a call, and returns its `id`',
    run({ sandbox }, command) {
      const times = {
        queueMs: command.number('queueMs', 0, MAX_MS, 5_000),
        ringMs: command.number('ringMs', 0, MAX_MS, 5_000),
        talkMs: command.number('talkMs', 0, MAX_MS, 20_000),
      };
      return { id: sandbox.control.startCall(command.apiKey(sandbox), times) };
    },
  },
  'end-call': {
    example: { id: '5b6f4b9e-b7d8-45de-a2e7-92bb4f43858a' },
    optional: ['apiKey'],
    effect: 'ends a call in progress',
    run({ sandbox }, command) {
      const id = command.text('id');
      if (!sandbox.control.endCall(command.apiKey(sandbox), id))
        throw new InvalidCommandError(`No call in progress has the id ${JSON.stringify(id)}.`);
      return {};
    },
  },
  restart: {
    example: {},
    optional: [],
    effect:
      'replaces the gateway by a new one, as a deployment does: without its cache, and without the cooldown after a 429',
    run({ restart }) {
      if (!restart)
        throw new InvalidCommandError('This sandbox has no gateway. `npm run demo` has one.');
      restart();
      return {};
    },
  },
  heal: {
    example: {},
    optional: [],
    effect: 'removes all faults; a cooldown after a 429 goes on in the gateway until `restart`',
    run({ sandbox: { control } }) {
      control.heal();
      return {};
    },
  },
};

/** Every action with an example and its other properties, as text. */
export function describeActions(): string {
  return Object.entries(actions)
    .map(
      ([action, { effect, example, optional }]) =>
        `${action}: ${effect}${optional.length > 0 ? `; optional: ${optional.join(', ')}` : ''}\n  ${JSON.stringify({ action, ...example })}\n`,
    )
    .join('\n');
}

/**
 * Runs the command of an end-to-end test: a JSON object with an `action`.
 * @throws InvalidCommandError
 */
export function runCommand(demo: ControlledDemo, text: string): object {
  const command = new Command(text);
  const name = command.text('action');
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (!action)
    throw new InvalidCommandError(
      `There is no action ${JSON.stringify(name)}. The actions are ${Object.keys(actions).join(', ')}.`,
    );
  command.rejectOthers(['action', ...Object.keys(action.example), ...action.optional]);
  return action.run(demo, command);
}

/** The properties of a command, checked when they are read. */
class Command {
  readonly #properties: { readonly [name: string]: unknown };

  constructor(text: string) {
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = undefined;
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
      throw new InvalidCommandError('The body must be a JSON object, such as {"action":"heal"}.');
    this.#properties = { ...parsed };
  }

  rejectOthers(known: readonly string[]): void {
    const other = Object.keys(this.#properties).find((name) => !known.includes(name));
    if (other !== undefined)
      throw new InvalidCommandError(`This action has no property ${JSON.stringify(other)}.`);
  }

  value(name: string): unknown {
    if (!Object.hasOwn(this.#properties, name))
      throw new InvalidCommandError(`The property \`${name}\` is missing.`);
    return this.#properties[name];
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value === 'string' && value !== '') return value;
    throw new InvalidCommandError(`\`${name}\` must be a text.`);
  }

  /** Without the base path, which no fault matches. */
  path({ basePath }: Sandbox): string {
    const path = this.text('path');
    if (!path.startsWith('/'))
      throw new InvalidCommandError('`path` must begin with a slash, for example /call/.');
    if (repeatsBasePath(basePath, path))
      throw new InvalidCommandError(`\`path\` must be without ${basePath}, for example /call/.`);
    return path;
  }

  /** @param fallback for an absent property */
  number(name: string, least: number, most: number, fallback?: number): number {
    if (fallback !== undefined && !Object.hasOwn(this.#properties, name)) return fallback;
    const value = this.value(name);
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most)
      return value;
    throw new InvalidCommandError(`\`${name}\` must be a whole number from ${least} to ${most}.`);
  }

  /** How many requests a fault affects. Undefined: all until it is removed. */
  times(): number | undefined {
    return Object.hasOwn(this.#properties, 'times') ? this.number('times', 1, 1e6) : undefined;
  }

  headers(): Record<string, string> {
    const headers = this.#properties.headers ?? {};
    if (!HEADERS.accepts(headers))
      throw new InvalidCommandError(
        '`headers` must be an object of names and values that HTTP permits, such as {"retry-after":"40"}.',
      );
    return headers as Record<string, string>;
  }

  /** The key of an organization; by default that of the first one. */
  apiKey({ organizations }: Sandbox): string {
    const keys = organizations.map(({ apiKey }) => apiKey);
    const key = this.#properties.apiKey ?? keys[0];
    if (typeof key === 'string' && keys.includes(key)) return key;
    throw new InvalidCommandError(`\`apiKey\` must be one of ${keys.join(', ')}.`);
  }
}
