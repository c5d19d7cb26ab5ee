const formats = {
  date: new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' }),
  time: new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' }),
  both: new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }),
};

interface TimeProps {
  readonly value: string | null | undefined;
  readonly style?: keyof typeof formats;
}

export function Time({ value, style = 'both' }: TimeProps) {
  if (!value) return <span className="none">–</span>;
  return <time dateTime={value}>{formats[style].format(new Date(value))}</time>;
}

interface DurationProps {
  readonly from: string | null | undefined;
  readonly to: string | null | undefined;
}

/** The time between two moments, as minutes and seconds. */
export function Duration({ from, to }: DurationProps) {
  if (!from || !to) return <span className="none">–</span>;
  const seconds = Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return <time dateTime={`PT${seconds}S`}>{text}</time>;
}
