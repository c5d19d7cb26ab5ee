import { useStaleState } from '../client/stale-state.ts';
import { Time } from './time.tsx';

/** Says that a live page shows an old state, because the upstream does not respond. */
export function StaleNotice({ operationName }: { readonly operationName: string }) {
  const stale = useStaleState(operationName);
  return (
    <div role="status">
      {stale && (
        <p className="notice stale">
          Not updated since <Time value={stale.since} style="time" />. The telephone service does
          not respond; the page goes on by itself.
        </p>
      )}
    </div>
  );
}
