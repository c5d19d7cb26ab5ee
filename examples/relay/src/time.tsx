const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export function Time({ value }: { readonly value: string | null | undefined }) {
  return value ? <time dateTime={value}>{format.format(new Date(value))}</time> : '–';
}
