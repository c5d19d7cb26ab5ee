import { useEffect, useRef } from 'react';

interface LoadMoreProps {
  readonly isLoading: boolean;
  readonly onMore: () => void;
}

/** Loads the next page when the end of the list scrolls into view. The button serves keyboards. */
export function LoadMore({ isLoading, onMore }: LoadMoreProps) {
  const button = useRef<HTMLButtonElement>(null);
  const latest = useRef(onMore);
  latest.current = onMore;
  useEffect(() => {
    if (!button.current || isLoading) return;
    const observer = new IntersectionObserver(
      ([entry]) => entry?.isIntersecting && latest.current(),
      { rootMargin: '400px' },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
  }, [isLoading]);
  return (
    <button type="button" className="more" ref={button} disabled={isLoading} onClick={onMore}>
      {isLoading ? 'Loading…' : 'Load more'}
    </button>
  );
}
