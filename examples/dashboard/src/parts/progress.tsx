interface ProgressProps {
  readonly name: string;
  readonly done: number | null | undefined;
  readonly total: number | null | undefined;
}

/** The share of a campaign's rows whose calls are completed. */
export function Progress({ name, done, total }: ProgressProps) {
  if (done == null || total == null) return <span className="none">–</span>;
  return (
    <span className="progress">
      <progress aria-label={`Progress of ${name}`} value={done} max={Math.max(total, 1)} />
      <span>
        {done} of {total}
      </span>
    </span>
  );
}
