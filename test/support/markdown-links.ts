import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Links of a document that lead to no file, or to no heading of one. Addresses on the web are not looked at. */
export function brokenLinksOf(path: string): { readonly to: string; readonly heading: string | undefined }[] {
  const links = Array.from(
    readFileSync(path, 'utf8').matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g),
    ([, to = '', heading]) => ({
      to,
      heading,
    }),
  );
  return links.filter(({ to, heading }) => {
    const target = to === '' ? path : join(dirname(path), to);
    return !existsSync(target) || (heading !== undefined && !headingsOf(readFileSync(target, 'utf8')).includes(heading));
  });
}

/** As GitHub makes anchors of them. */
function headingsOf(text: string): string[] {
  return Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
