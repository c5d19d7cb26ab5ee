import { parse, print } from 'graphql';
import type { GraphiQLOptions } from 'graphql-yoga';
import type { ExampleOperation } from '#http/example-operation.ts';
import { toContentSecurityPolicy } from '#http/headers/security-headers.ts';

const WELCOME_OPERATION: ExampleOperation = {
  description:
    'The Revox API in GraphQL. Press Ctrl-Enter to run this operation. Field names are those of the Revox ' +
    'documentation in camelCase: to_phone_number is toPhoneNumber. The book icon on the left opens the documentation.',
  query: `query LatestAttempts {
    callAttempts(first: 5, statuses: [COMPLETED]) {
      nodes { status result phoneNumber startedAt }
      pageInfo { hasNextPage endCursor }
    }
  }`,
};

/** GraphiQL requests the schema when it opens, before the user has entered a key. */
const API_KEY_HINT =
  'First enter your API key under Headers below, and press the reload icon on the left to load the documentation.';

export interface GraphiQLPageOptions {
  readonly operations: readonly ExampleOperation[];
  /** Whether the user must enter a key. */
  readonly requiresApiKey: boolean;
  /** Whether responses have `extensions.upstream`. */
  readonly tracing: boolean;
}

/** GraphiQL's page. */
export interface GraphiQLPage {
  readonly options: GraphiQLOptions;
  /** Yoga's `renderGraphiQL`. */
  render(options: GraphiQLOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** Undefined until the page is served. */
  readonly contentSecurityPolicy: string | undefined;
}

export function createGraphiQLPage(options: GraphiQLPageOptions): GraphiQLPage {
  /**
   * The encoded page (9 MB), shared by all clients. As a string it would be encoded for each
   * request, and its bytes kept for each client that does not read them.
   */
  let page: Uint8Array<ArrayBuffer> | undefined;
  let contentSecurityPolicy: string | undefined;
  return {
    options: toGraphiQLOptions(options),
    async render(yogaOptions) {
      if (page) return page;
      const text = await renderGraphiQLPage(yogaOptions);
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
  requiresApiKey,
  tracing,
}: GraphiQLPageOptions): GraphiQLOptions {
  const headers = requiresApiKey ? { headers: API_KEY_HEADERS } : {};
  const welcome = requiresApiKey
    ? { ...WELCOME_OPERATION, description: `${WELCOME_OPERATION.description} ${API_KEY_HINT}` }
    : WELCOME_OPERATION;
  return {
    title: 'Revox',
    defaultQuery: toTabText(welcome),
    defaultTabs: [welcome, ...operations].map((operation) => ({
      query: toTabText(operation),
      ...(operation.variables ? { variables: JSON.stringify(operation.variables, null, 2) } : {}),
      ...headers,
    })),
    ...headers,
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
const TRACE_HEADERS = { 'x-revox-trace': '1' };

/** GraphiQL's page as one self-contained document, with patches for three of its bugs. */
export async function renderGraphiQLPage(options?: GraphiQLOptions): Promise<string> {
  // Loaded on demand: loading the 9 MB of the page takes a third of the start-up time.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL(options).replace('<div id="root"></div>', (root) => PATCHES + root);
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
 */
const PATCHES = `<script>
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
</style>
`;
