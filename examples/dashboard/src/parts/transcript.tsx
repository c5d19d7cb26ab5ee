import { TranscriptRole } from '../__generated__/graphql.ts';

interface Message {
  readonly role?: TranscriptRole | null;
  readonly content?: string | null;
  readonly toolName?: string | null;
  readonly toolArguments?: unknown;
  readonly toolIsError?: boolean | null;
}

/** The messages of a conversation. New ones are announced while the call goes on. */
export function Transcript({ messages }: { readonly messages: readonly Message[] }) {
  return (
    <ol className="transcript" aria-label="Transcript" aria-live="polite">
      {messages.map((message, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages have no id, and are only appended
        <li key={index} className={toClass(message)}>
          {message.role === TranscriptRole.Tool ? (
            <Tool message={message} />
          ) : (
            <>
              <span className="speaker">{toSpeaker(message)}</span>
              <p>{message.content}</p>
            </>
          )}
        </li>
      ))}
    </ol>
  );
}

function Tool({ message }: { readonly message: Message }) {
  return (
    <details>
      <summary>
        {message.toolName ?? 'Tool'}
        {message.toolIsError && <span className="badge bad">failed</span>}
      </summary>
      {message.toolArguments != null && <pre>{JSON.stringify(message.toolArguments, null, 2)}</pre>}
      {message.content && <pre>{message.content}</pre>}
    </details>
  );
}

function toClass({ role }: Message): string {
  if (role === TranscriptRole.Tool) return 'tool';
  return role === TranscriptRole.User ? 'user' : 'assistant';
}

function toSpeaker({ role }: Message): string {
  if (role === TranscriptRole.User) return 'Person';
  return role === TranscriptRole.Assistant ? 'Assistant' : 'Other';
}
