import { hash } from 'node:crypto';
import type { GraphiQLOptions } from 'graphql-yoga';
import { IMMUTABLE, NO_STORE } from '#http/headers/cache-control.ts';

/** A file of the page. Its bytes are shared by all clients. */
export interface PageFile {
  readonly name: string;
  /** Changes with the content. */
  readonly version: string;
  readonly type: 'text/javascript' | 'text/css';
  readonly body: Uint8Array<ArrayBuffer>;
}

export type GraphiQLFiles = { readonly [name in FileName]: PageFile };

type FileName = 'script' | 'style' | WorkerName;

/** The names that Monaco gives to its workers. */
type WorkerName = 'editorWorkerService' | 'json' | 'graphql';

/**
 * The files of GraphiQL's page: 9 MB, which browsers store for a year. A browser compiles a script
 * of its own URL while it arrives and stores the result, and loads workers when the editor needs
 * them. In one document with everything it does neither.
 */
export async function createGraphiQLFiles(options: GraphiQLOptions): Promise<GraphiQLFiles> {
  // Loaded on demand: loading the 9 MB of the page takes a third of the start-up time.
  const bundle = await import('@graphql-yoga/render-graphiql/graphiql');
  const workers = {
    editorWorkerService: toFile('editorWorkerService', bundle.editorWorkerService),
    json: toFile('json', bundle.jsonWorker),
    graphql: toFile('graphql', bundle.graphqlWorker),
  };
  return {
    ...workers,
    script: toFile('script', toScript(hideStacks(addHistory(bundle.js)), workers, options)),
    style: { ...toFile('style', `${bundle.css}\n${STYLE_PATCHES}`), type: 'text/css' },
  };
}

function toFile(name: FileName, text: string): PageFile {
  return {
    name,
    version: hash('sha256', text, 'base64url').slice(0, VERSION_LENGTH),
    type: 'text/javascript',
    body: new TextEncoder().encode(text),
  };
}

const VERSION_LENGTH = 16;

/**
 * The URL of a file, relative to the page. It is a query of the endpoint, because proxies and
 * applications route the endpoint to the gateway, and maybe no path below it.
 */
export function toFileURL({ name, version }: PageFile): string {
  return `?graphiql-file=${name}.${version}`;
}

const FILE_URL = /^[^?]*\?graphiql-file=(\w+)\.([\w-]+)$/;

export function isFileURL(url: string): boolean {
  return FILE_URL.test(url);
}

/** @returns undefined if there is no such file */
export function respondWithFile(files: GraphiQLFiles, url: string): Response | undefined {
  const [, name = '', version] = FILE_URL.exec(url) ?? [];
  if (!Object.hasOwn(files, name)) return undefined;
  const file = files[name as FileName];
  // While a new release replaces the instances, the page of another one may ask for its file. This
  // one is close enough, but must not be stored, nor be compressed for each client.
  const cacheControl = version === file.version ? IMMUTABLE : `${NO_STORE}, no-transform`;
  return new Response(file.body, {
    headers: { 'content-type': `${file.type}; charset=utf-8`, 'cache-control': cacheControl },
  });
}

function toScript(
  bundle: string,
  workers: { readonly [name in WorkerName]: PageFile },
  options: GraphiQLOptions,
): string {
  const urls = Object.fromEntries(
    Object.entries(workers).map(([name, file]) => [name, toFileURL(file)]),
  );
  return `
const workerURLs = ${JSON.stringify(urls)};
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_, label) => workerURLs[label] };
${SCRIPT_PATCHES}
${bundle};
YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), ${JSON.stringify(options)});
`;
}

/** How the script of the page defines the history plugin, and lists its plugins. */
const HISTORY_PLUGIN = /\b(\w+)=\{title:"History",icon:/;
const PLUGINS = /\bplugins:\[(\w+)\],schemaDescription:/;

/**
 * Adds the history of operations, which is GraphiQL's default: Yoga replaces the list of plugins by
 * its explorer, and its options are JSON, which cannot name a plugin.
 */
function addHistory(bundle: string): string {
  const [, history] = HISTORY_PLUGIN.exec(bundle) ?? [];
  return history === undefined
    ? bundle
    : bundle.replace(
        PLUGINS,
        (_, explorer) => `plugins:[${explorer},${history}],schemaDescription:`,
      );
}

/**
 * GraphiQL shows the stack of an error of the page, in its minified code, as part of the response:
 * for example when the editor is empty.
 */
function hideStacks(bundle: string): string {
  return bundle.replace(/(\{message:(\w+)\.message),stack:\2\.stack\}/, '$1}');
}

/**
 * 1. The history stores the headers of each operation, with the key, although the options forbid it.
 *    The patch stores it without headers: they last as long as the page.
 * 2. Tabs can be dragged. The code for dragging moves the tabs over each other when the window is
 *    resized, and when a tab is pressed for the first time. The click then hits another tab or none
 *    (github.com/motiondivision/motion/issues/3823). The patch keeps tabs in their positions.
 * 3. GraphiQL stores its query only after an edit. When a page without an edit is opened again, no
 *    stored tab equals the query, so GraphiQL adds an empty tab. The patch stores the query of the
 *    active tab.
 * 4. A new tab may be outside of the bar. The patch scrolls it into view.
 */
const SCRIPT_PATCHES = `{
  const { setItem } = Storage.prototype;
  const withoutHeaders = (name, value) => (name === 'headers' ? undefined : value);
  Storage.prototype.setItem = function (key, text) {
    const isHistory = key === 'graphiql:queries' || key === 'graphiql:favorites';
    setItem.call(this, key, isHistory ? JSON.stringify(JSON.parse(text), withoutHeaders) : text);
  };
  addEventListener('pointerdown', (event) => event.target.closest?.('.graphiql-tab') && event.stopPropagation(), true);
  addEventListener('click', (event) => {
    if (!event.target.closest?.('.graphiql-session-header')) return;
    requestAnimationFrame(() => document.querySelector('.graphiql-tab-active')?.scrollIntoView());
  });
  const stored = JSON.parse(localStorage.getItem('graphiql:tabState') ?? '{}');
  const open = stored.tabs?.[stored.activeTabIndex];
  if (open && localStorage.getItem('graphiql:query') === null) {
    localStorage.setItem('graphiql:query', open.query ?? '');
    if (open.variables) localStorage.setItem('graphiql:variables', open.variables);
  }
}`;

/**
 * 1. See the second patch of the script.
 * 2. The editor draws a box around each dash and apostrophe that is not ASCII: in French responses,
 *    around a good part of the text.
 * 3. The explorer lists all fields of the query type. `_entities` and `_service` are for routers.
 */
const STYLE_PATCHES = `
.graphiql-tab { transform: none !important; }
.monaco-editor .unicode-highlight { border: 0; background: none; }
.graphiql-explorer-_entities, .graphiql-explorer-_service { display: none; }
`;
