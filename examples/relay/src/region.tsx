import { Component, type ReactNode, Suspense } from 'react';
import { toSentence } from './request-error.ts';

interface RegionProps {
  /** The argument is the `fetchKey` of the region's query: another attempt sends it again. */
  readonly children: (fetchKey: number) => ReactNode;
}

interface RegionState {
  readonly error?: unknown;
  readonly attempt: number;
}

/** A part of a page that loads, and fails, on its own. */
export class Region extends Component<RegionProps, RegionState> {
  override state: RegionState = { attempt: 0 };

  static getDerivedStateFromError(error: unknown): Partial<RegionState> {
    return { error };
  }

  override render() {
    const { error, attempt } = this.state;
    if (error)
      return (
        <Problem
          error={error}
          onRetry={() => this.setState({ error: undefined, attempt: attempt + 1 })}
        />
      );
    return (
      <Suspense fallback={<p role="status">Loading…</p>}>{this.props.children(attempt)}</Suspense>
    );
  }
}

interface ProblemProps {
  readonly error: unknown;
  readonly onRetry: () => void;
}

export function Problem({ error, onRetry }: ProblemProps) {
  return (
    <div className="problem" role="alert">
      <p>{toSentence(error)}</p>
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  );
}
