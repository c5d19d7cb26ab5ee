import { toReplyKind } from '#cache/redis/error-reply.ts';
import type { RedisClient } from '#cache/redis/redis-client.ts';

/** A reply, or the kind and the text of an error reply, which starts with its kind: `NOPERM`. */
export type CommandResult =
  | { readonly reply: unknown; readonly code?: undefined }
  | { readonly code: string; readonly text: string };

export type SendCommand = (...command: string[]) => Promise<CommandResult>;

export function toSendCommand(client: RedisClient): SendCommand {
  return async (...command) => {
    try {
      return { reply: await client.sendCommand<unknown>(command) };
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

/** A key of the gateway's name space that no instance uses. */
const TEST_KEY = 'revox:doctor';

/**
 * The commands that the gateway sends, with arguments that change nothing: the key does not exist,
 * and `XX` sets only a key that exists. Redis checks permissions, memory and role before that.
 */
export const GATEWAY_COMMANDS: readonly (readonly [name: string, ...rest: string[]])[] = [
  ['PING'],
  ['TIME'],
  ['GET', TEST_KEY],
  ['MGET', TEST_KEY, TEST_KEY],
  ['SET', TEST_KEY, '', 'XX', 'PX', '1'],
  ['PEXPIRE', TEST_KEY, '1'],
  ['DEL', TEST_KEY],
];

/** For `ACL SETUSER`: exactly what the gateway needs. */
export const REQUIRED_ACL = `~revox:* +select ${GATEWAY_COMMANDS.map(([name]) => `+${name.toLowerCase()}`).join(' ')}`;

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
