/** The rows of the first table below a heading, keyed by column name, without Markdown code marks. */
export function readTable(text: string, heading: string): Record<string, string>[] {
  const section = text.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`));
  const [names, , ...rows] =
    /(?:^\|.*\n)+/m
      .exec(section ?? '')?.[0]
      .trimEnd()
      .split('\n') ?? [];
  if (!names || rows.length === 0) throw new Error(`There is no table below "${heading}".`);
  return rows.map((row) => {
    const cells = splitCells(row);
    return Object.fromEntries(splitCells(names).map((name, column) => [name, cells[column] ?? '']));
  });
}

function splitCells(row: string): string[] {
  return row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.replaceAll('`', '').trim());
}
