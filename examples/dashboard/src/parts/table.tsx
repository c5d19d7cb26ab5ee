import type { ReactNode } from 'react';

interface TableProps {
  readonly label: string;
  readonly headings: readonly string[];
  readonly isLoading: boolean;
  readonly children: ReactNode;
}

/** A table that scrolls sideways on a narrow screen. */
export function Table({ label, headings, isLoading, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys scroll the table only if it has the focus
    <section className="table" aria-label={label} tabIndex={0}>
      <table aria-busy={isLoading}>
        <thead>
          <tr>
            {headings.map((heading) => (
              <th key={heading} scope="col">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
