import { parse, print } from 'graphql';
import type { GraphiQLOptions } from 'graphql-yoga';
import type { ExampleOperation } from '#http/example-operation.ts';
import { toContentSecurityPolicy } from '#http/headers/security-headers.ts';
import { generalOperations, WELCOME_OPERATION } from './general-operations.ts';

/** GraphiQL requests the schema when it opens, before the user has entered a key. */
const API_KEY_HINT =
  'First enter your API key under Headers below, and press the reload icon on the left to load the documentation.';

/** Scanners take a page with the name of an editor for that editor. */
const NOTICE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>The query editor is off</title>
    <style>
      body { max-width: 40rem; margin: 4rem auto; padding: 0 1rem; font: 1rem/1.5 system-ui, sans-serif; }
    </style>
  </head>
  <body>
    <h1>The query editor is off</h1>
    <p>
      This is the GraphQL endpoint of the gateway for the Revox API. Clients send operations by POST,
      with <code>Content-Type: application/json</code>.
    </p>
    <p>With the setting <code>GRAPHIQL=on</code>, this page is a query editor.</p>
  </body>
</html>
`;

export interface GraphiQLPageOptions {
  /** None: the tabs are the operations that need no id. */
  readonly operations: readonly ExampleOperation[];
  /** Whether the schema has subscriptions. */
  readonly hasSubscriptions: boolean;
  /** Whether the user must enter a key. */
  readonly requiresApiKey: boolean;
  /** Whether responses have `extensions.upstream`. */
  readonly tracing: boolean;
}

/** The page that a browser gets from the endpoint. It is public, and the same for all clients. */
export interface BrowserPage {
  readonly options: GraphiQLOptions;
  /** Yoga's `renderGraphiQL`. */
  render(options: GraphiQLOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** Undefined until the page is served. */
  readonly contentSecurityPolicy: string | undefined;
}

export function createGraphiQLPage(options: GraphiQLPageOptions): BrowserPage {
  return createPage(toGraphiQLOptions(options), renderGraphiQLPage);
}

/** The page when GraphiQL is off. */
export function createNoticePage(): BrowserPage {
  return createPage({}, async () => NOTICE);
}

function createPage(
  options: GraphiQLOptions,
  toHtml: (options: GraphiQLOptions) => Promise<string>,
): BrowserPage {
  /**
   * The encoded page (9 MB with GraphiQL), shared by all clients. As a string it would be encoded
   * for each request, and its bytes kept for each client that does not read them.
   */
  let page: Uint8Array<ArrayBuffer> | undefined;
  let contentSecurityPolicy: string | undefined;
  return {
    options,
    async render(yogaOptions) {
      if (page) return page;
      const text = await toHtml(yogaOptions);
      contentSecurityPolicy = toContentSecurityPolicy(text);
      page = new TextEncoder().encode(text);
      return page;
    },
    get contentSecurityPolicy() {
      return contentSecurityPolicy;
    },
  };
}

/** GraphiQL's own settings. The page is self-contained, and loads nothing from another host. */
export function toGraphiQLOptions({
  operations,
  hasSubscriptions,
  requiresApiKey,
  tracing,
}: GraphiQLPageOptions): GraphiQLOptions {
  const headers = requiresApiKey ? { headers: API_KEY_HEADERS } : {};
  const welcome = requiresApiKey
    ? { ...WELCOME_OPERATION, description: `${API_KEY_HINT} ${WELCOME_OPERATION.description}` }
    : WELCOME_OPERATION;
  const others = operations.length > 0 ? operations : generalOperations(hasSubscriptions);
  return {
    title: 'Revox',
    // Yoga's own has 150 kB.
    favicon: FAVICON,
    defaultQuery: toTabText(welcome),
    defaultTabs: [welcome, ...others].map((operation) => ({
      query: toTabText(operation),
      ...(operation.variables ? { variables: JSON.stringify(operation.variables, null, 2) } : {}),
      ...headers,
    })),
    ...headers,
    // The editor of headers: the key is entered there.
    ...(requiresApiKey ? { defaultEditorToolsVisibility: 'headers' } : {}),
    // GraphiQL sends these headers in addition to the tab's. If they were in the tab, GraphiQL
    // would open the tab's headers instead of its variables.
    ...(tracing ? { additionalHeaders: TRACE_HEADERS } : {}),
    // GraphiQL would write the headers, including the key, into the browser's storage, where they
    // outlive the page.
    shouldPersistHeaders: false,
    credentials: 'same-origin',
  };
}

/**
 * Maximum length of a comment line: the editor is half a window wide, and cuts off longer lines.
 */
const MAX_LINE_LENGTH = 54;

/** One field a line, below the wrapped description. */
function toTabText({ description, query }: ExampleOperation): string {
  const comment = description.replace(
    new RegExp(`(.{1,${MAX_LINE_LENGTH - 2}})(?: |$)`, 'g'),
    '# $1\n',
  );
  return `${comment}${print(parse(query))}\n`;
}

const API_KEY_HEADERS = JSON.stringify({ Authorization: 'Bearer <your Revox API key>' }, null, 2);
const FAVICON =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Cpath d=%22M8 1l6 3.5v7L8 15l-6-3.5v-7z%22 fill=%22none%22 stroke=%22%23d6409f%22 stroke-width=%222%22/%3E%3C/svg%3E';
const TRACE_HEADERS = { 'x-revox-trace': '1' };

/** GraphiQL's page as one self-contained document, with patches. */
export async function renderGraphiQLPage(options?: GraphiQLOptions): Promise<string> {
  // Loaded on demand: loading the 9 MB of the page takes a third of the start-up time.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return addHistory(renderGraphiQL(options)).replace(
    '<div id="root"></div>',
    () => `${PATCHES}<div id="root">${LOADING}</div>`,
  );
}

/** Visible until the scripts of the page have run. */
const LOADING = '<p class="loading">The query editor is loading …</p>';

/** How the script of the page defines the history plugin, and lists its plugins. */
const HISTORY_PLUGIN = /\b(\w+)=\{title:"History",icon:/;
const PLUGINS = /\bplugins:\[(\w+)\],schemaDescription:/;

/**
 * Adds the history of operations, which is GraphiQL's default: Yoga replaces the list of plugins by
 * its explorer, and its options are JSON, which cannot name a plugin.
 */
function addHistory(page: string): string {
  const [, history] = HISTORY_PLUGIN.exec(page) ?? [];
  return history === undefined
    ? page
    : page.replace(PLUGINS, (_, explorer) => `plugins:[${explorer},${history}],schemaDescription:`);
}

/**
 * 1. Tabs can be dragged. The code for dragging moves the tabs over each other when the window is
 *    resized, and when a tab is pressed for the first time. The click then hits another tab or none
 *    (github.com/motiondivision/motion/issues/3823). The patch keeps tabs in their positions.
 * 2. GraphiQL stores its query only after an edit. When a page without an edit is opened again, no
 *    stored tab equals the query, so GraphiQL adds an empty tab. The patch stores the query of the
 *    active tab.
 * 3. The editor draws a box around each dash and apostrophe that is not ASCII: in French responses,
 *    around a good part of the text.
 * 4. The history stores the headers of each operation, with the key, although the options forbid it.
 *    The patch stores it without headers: they last as long as the page.
 * 5. The explorer lists all fields of the query type. `_entities` and `_service` are for routers.
 */
const PATCHES = `<script>
  const { setItem } = Storage.prototype;
  const withoutHeaders = (name, value) => (name === 'headers' ? undefined : value);
  Storage.prototype.setItem = function (key, text) {
    const isHistory = key === 'graphiql:queries' || key === 'graphiql:favorites';
    setItem.call(this, key, isHistory ? JSON.stringify(JSON.parse(text), withoutHeaders) : text);
  };
  addEventListener('pointerdown', (event) => event.target.closest?.('.graphiql-tab') && event.stopPropagation(), true);
  const stored = JSON.parse(localStorage.getItem('graphiql:tabState') ?? '{}');
  const open = stored.tabs?.[stored.activeTabIndex];
  if (open && localStorage.getItem('graphiql:query') === null) {
    localStorage.setItem('graphiql:query', open.query ?? '');
    if (open.variables) localStorage.setItem('graphiql:variables', open.variables);
  }
</script>
<style>
  .graphiql-tab { transform: none !important; }
  .monaco-editor .unicode-highlight { border: 0; background: none; }
  .graphiql-explorer-_entities, .graphiql-explorer-_service { display: none; }
  .loading { padding: 2rem; font: 1rem/1.5 system-ui, sans-serif; }
</style>
`;
