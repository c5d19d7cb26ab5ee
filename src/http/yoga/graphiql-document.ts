import { type GraphiQLFiles, toFileURL } from './graphiql-files.ts';

/**
 * The document of GraphiQL's page. The browser shows its text until the files have arrived: the
 * script is read beside the parser, and the style, which the browser waits for before it shows what
 * follows, comes after the text.
 */
export function toGraphiQLDocument(files: GraphiQLFiles): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Revox</title>
    <link rel="icon" href="${FAVICON}">
    <script defer src="${toFileURL(files.script)}"></script>
  </head>
  <body id="body" class="no-focus-outline">
    <noscript>The query editor needs JavaScript.</noscript>
    <div id="root">
      <p style="padding: 2rem; font: 1rem/1.5 system-ui, sans-serif">The query editor is loading …</p>
    </div>
    <link rel="stylesheet" href="${toFileURL(files.style)}">
  </body>
</html>
`;
}

/** Yoga's own has 150 kB. */
const FAVICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Cpath d=%22M8 1l6 3.5v7L8 15l-6-3.5v-7z%22 fill=%22none%22 stroke=%22%23d6409f%22 stroke-width=%222%22/%3E%3C/svg%3E';
