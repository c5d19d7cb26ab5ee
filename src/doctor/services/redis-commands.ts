import { toReplyKind } from '#redis/error-reply.ts';
import { CHANNEL } from '#redis/instance-channel.ts';
import type { RedisClient } from '#redis/redis-client.ts';

/** A reply, or the kind and the text of an error reply, which starts with its kind: `NOPERM`. */
export type CommandResult =
  | { readonly reply: unknown; readonly code?: undefined }
  | { readonly code: string; readonly text: string };

export type SendCommand = (...command: string[]) => Promise<CommandResult>;

export function toSendCommand(client: RedisClient): SendCommand {
  return async (...command) => {
    try {
      const [name, channel = ''] = command;
      const reply =
        name === 'SUBSCRIBE'
          ? await client.subscribe(channel, () => {})
          : await client.sendCommand<unknown>(command);
      return { reply };
    } catch (error) {
      return toErrorReply(error);
    }
  };
}

export function toErrorReply(error: unknown): { readonly code: string; readonly text: string } {
  return {
    code: toReplyKind(error) ?? '',
    text: error instanceof Error ? error.message : '',
  };
}

/** A command by its name, which may have two words, and its arguments. */
export type GatewayCommand = readonly [name: string, ...rest: string[]];

/**
 * The commands that the gateway sends, with arguments that change nothing: the key does not exist,
 * and `XX` sets only a key that exists. Redis checks permissions, memory and role before that.
 */
function toKeyCommands(key: string): readonly GatewayCommand[] {
  return [
    ['PING'],
    ['TIME'],
    ['GETRANGE', key, '0', '0'],
    ['SET', key, '', 'XX', 'PX', '1'],
    ['PEXPIRE', key, '1'],
    ['DEL', key],
    // No instance reads an empty message.
    ['PUBLISH', CHANNEL, ''],
  ];
}

/** What the gateway sends to a server, and what its user needs. */
export interface GatewayCommands {
  readonly commands: readonly GatewayCommand[];
  /** The connection that is subscribed accepts no other command, so this is sent last. */
  readonly subscribe: GatewayCommand;
  /** For `ACL SETUSER`: exactly what the gateway needs. */
  readonly acl: string;
}

const SUBSCRIBE: GatewayCommand = ['SUBSCRIBE', CHANNEL];

/** The key and channel names. */
const NAMES = '~revox:* &revox:*';

/** The key is one of the gateway's name space that no instance uses. */
export function toServerCommands(): GatewayCommands {
  const commands = toKeyCommands('revox:doctor');
  return {
    commands,
    subscribe: SUBSCRIBE,
    acl: `${NAMES} +select ${toPermissions([...commands, SUBSCRIBE])}`,
  };
}

/** @param hashTag of a slot that the node serves: another node would redirect the commands */
export function toNodeCommands(hashTag: string): GatewayCommands {
  const commands: readonly GatewayCommand[] = [
    ...toKeyCommands(`revox:doctor:{${hashTag}}`),
    ['CLUSTER SLOTS'],
    // It concerns only the next command of the connection.
    ['ASKING'],
  ];
  return {
    commands,
    subscribe: SUBSCRIBE,
    acl: `${NAMES} ${toPermissions([...commands, SUBSCRIBE])}`,
  };
}

function toPermissions(commands: readonly GatewayCommand[]): string {
  return commands.map(([name]) => `+${name.toLowerCase().replace(' ', '|')}`).join(' ');
}

/** Reads `name:value` lines of INFO. Undefined: the user must not send INFO. */
export async function readInfo(
  send: SendCommand,
): Promise<ReadonlyMap<string, string> | undefined> {
  const result = await send('INFO');
  if (result.code !== undefined) return undefined;
  return new Map(
    String(result.reply)
      .split(/\r?\n/)
      .map((line) => line.split(':') as [string, ...string[]])
      .filter(([name, ...rest]) => name !== '' && rest.length > 0)
      .map(([name, ...rest]) => [name, rest.join(':')]),
  );
}
