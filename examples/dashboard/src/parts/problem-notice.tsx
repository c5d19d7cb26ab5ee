import { useEffect, useState } from 'react';
import { toProblem } from '../client/to-problem.ts';

interface ProblemNoticeProps {
  readonly error: Error;
  readonly onRetry: () => void;
}

/** Says what failed, and tries again when `retryAfter` is over. */
export function ProblemNotice({ error, onRetry }: ProblemNoticeProps) {
  const { title, advice, retryAfter } = toProblem(error);
  const secondsLeft = useCountdown(error, retryAfter, onRetry);
  return (
    <div className="notice problem" role="alert">
      <strong>{title}</strong>
      <p>
        {advice}
        {secondsLeft !== undefined && (
          // A screen reader reads the sentence once, not each second.
          <span aria-hidden="true"> Next attempt in {secondsLeft} s.</span>
        )}
      </p>
      {retryAfter !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again now
        </button>
      )}
    </div>
  );
}

function useCountdown(error: Error, seconds: number | undefined, onEnd: () => void) {
  const [left, setLeft] = useState(seconds);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each error starts a new countdown
  useEffect(() => {
    if (seconds === undefined) return;
    const endsAt = Date.now() + 1000 * seconds;
    setLeft(Math.ceil(seconds));
    const timer = setInterval(() => {
      const remaining = Math.ceil((endsAt - Date.now()) / 1000);
      setLeft(Math.max(0, remaining));
      if (remaining > 0) return;
      clearInterval(timer);
      onEnd();
    }, 250);
    return () => clearInterval(timer);
  }, [error]);
  return left;
}
