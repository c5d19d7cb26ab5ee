import { EventSource } from 'eventsource';

export function watchWithEventSource(
  url: string,
  body: { query: string; variables: object },
  observer: {
    next(result: unknown): void;
    error(error: unknown): void;
    complete(): void;
  },
) {
  const { query, variables } = body;
  const parameters = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  const source = new EventSource(`${url}?${parameters}`);
  source.addEventListener('next', ({ data }) => observer.next(JSON.parse(data)));
  source.addEventListener('complete', () => {
    source.close();
    observer.complete();
  });
  source.addEventListener('error', () => {
    // In every other state it connects again by itself.
    if (source.readyState === source.CLOSED) observer.error(new Error('Subscription failed.'));
  });
  return () => source.close();
}
