import { useRawValue } from '../client/raw-values.ts';

type Tone = 'live' | 'good' | 'bad' | 'calm';

/** Values that have no entry, such as those of a newer schema, are calm. */
const tones: Readonly<Record<string, Tone>> = {
  CALLING: 'live',
  ONGOING: 'live',
  RINGING: 'live',
  RUNNING: 'live',
  COMPLETED: 'good',
  HUMAN: 'good',
  ERRORED: 'bad',
  ERROR: 'bad',
  CANCELLED: 'bad',
};

interface BadgeProps {
  readonly of: { readonly __typename?: string; readonly id: string };
  readonly field: string;
  readonly value: string | null | undefined;
}

/** An enum value in words. A value that is newer than the schema is shown as the upstream sent it. */
export function Badge({ of, field, value }: BadgeProps) {
  const raw = useRawValue(of, field);
  if (!value) return <span className="none">–</span>;
  const isNew = value === 'UNRECOGNIZED';
  return (
    <span className={`badge ${tones[value] ?? 'calm'}`} title={isNew ? 'A new value' : undefined}>
      {toWords(isNew ? (raw ?? 'new value') : value)}
    </span>
  );
}

/** `QUEUED_FOR_CALLING` and `on-hold` as "Queued for calling" and "On hold". */
export function toWords(value: string): string {
  const words = value.toLowerCase().replaceAll(/[_-]/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
