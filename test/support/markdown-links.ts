import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The links of a document whose file or heading does not exist. Links to the web are not checked.
 */
export function brokenLinksOf(
  path: string,
): { readonly to: string; readonly heading: string | undefined }[] {
  const links = Array.from(
    readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g),
    ([, to = '', heading]) => ({
      to,
      heading,
    }),
  );
  return links.filter(({ to, heading }) => {
    const target = to === '' ? path : join(dirname(path), to);
    return (
      !existsSync(target) ||
      (heading !== undefined && !headingsOf(readFileSync(target, 'utf8')).includes(heading))
    );
  });
}

/** The headings, as GitHub turns them into anchors. */
function headingsOf(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
