import { parse, print } from 'graphql';
import type { GraphiQLOptions } from 'graphql-yoga';
import type { ExampleOperation } from '#http/example-operation.ts';

const WELCOME_OPERATION: ExampleOperation = {
  description:
    'The Revox API in GraphQL. Run this: Ctrl-Enter. Every field of the Revox documentation is here, in camelCase: ' +
    'to_phone_number is toPhoneNumber. The book on the left opens the documentation.',
  query: `query LatestAttempts {
    callAttempts(first: 5, statuses: [COMPLETED]) {
      nodes { status result phoneNumber startedAt }
      pageInfo { hasNextPage endCursor }
    }
  }`,
};

/** GraphiQL asks for the schema when it opens: before there is a key. */
const API_KEY_HINT =
  'First put your key in its place under Headers, below, and press the round arrow on the left: it loads the documentation.';

export interface GraphiQLPageOptions {
  readonly operations: readonly ExampleOperation[];
  /** Whether the user has to bring a key. */
  readonly requiresApiKey: boolean;
  /** Whether answers say what they cost upstream. */
  readonly tracing: boolean;
}

/** GraphiQL's own settings. The page is served whole, and needs no other host. */
export function toGraphiQLOptions({ operations, requiresApiKey, tracing }: GraphiQLPageOptions): GraphiQLOptions {
  const headers = requiresApiKey ? { headers: API_KEY_HEADERS } : {};
  const welcome = requiresApiKey
    ? { ...WELCOME_OPERATION, about: `${WELCOME_OPERATION.description} ${API_KEY_HINT}` }
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
    // Beside those of the tab: a tab with headers of its own would open on them, and hide its variables.
    ...(tracing ? { additionalHeaders: TRACE_HEADERS } : {}),
    // GraphiQL would write them, and with them the key, into the browser's storage, where they outlive the page.
    shouldPersistHeaders: false,
    credentials: 'same-origin',
  };
}

/** The editor is half a window wide, and cuts what is longer. */
const MAX_LINE_LENGTH = 54;

/** One field a line, and the comment above it wrapped. */
function toTabText({ description, query }: ExampleOperation): string {
  const comment = description.replace(new RegExp(`(.{1,${MAX_LINE_LENGTH - 2}})(?: |$)`, 'g'), '# $1\n');
  return `${comment}${print(parse(query))}\n`;
}

const API_KEY_HEADERS = JSON.stringify({ Authorization: 'Bearer <your Revox API key>' }, null, 2);
const TRACE_HEADERS = { 'x-revox-trace': '1' };

/** GraphiQL's page with everything it needs inside, and three faults of it mended. */
export async function renderGraphiQLPage(options?: GraphiQLOptions): Promise<string> {
  // Loaded when it is asked for: its nine megabytes are a third of what a start takes.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  return renderGraphiQL(options).replace('<div id="root"></div>', (root) => PATCHES + root);
}

/**
 * 1. Tabs can be dragged, and for that are pushed over each other when the window changes its size and when one is pressed for the
 *    first time, so that a click meets another tab or none (github.com/motiondivision/motion/issues/3823). Here they keep their places.
 * 2. On a page that is opened again and was not typed in before, an empty tab is added, since none is like the query that is not stored.
 * 3. The editor puts a box around each dash and apostrophe that is not ASCII: in French answers, around a good part of the text.
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
