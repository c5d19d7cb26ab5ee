import { parse, print } from 'graphql';
import type { GraphiQLOptions } from 'graphql-yoga';
import type { ExampleOperation } from '#http/example-operation.ts';
import { GRAPHIQL_POLICY, NOTICE_POLICY } from '#http/headers/security-headers.ts';
import type { RequestHead } from '#http/message.ts';
import { generalOperations, WELCOME_OPERATION } from './general-operations.ts';
import { toGraphiQLDocument } from './graphiql-document.ts';
import {
  createGraphiQLFiles,
  type GraphiQLFiles,
  isFileURL,
  respondWithFile,
} from './graphiql-files.ts';

/** GraphiQL requests the schema when it opens, before the user has entered a key. */
const API_KEY_HINT =
  'First enter your API key under Headers below, and press the reload icon on the left to load the documentation. Each tab has headers of its own.';

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
  render(): Promise<string>;
  /** The response to a request for one of the page's files. Undefined for every other request. */
  respondWithFile(request: RequestHead): Promise<Response | undefined>;
  readonly contentSecurityPolicy: string;
}

export function createGraphiQLPage(options: GraphiQLPageOptions): BrowserPage {
  const graphiqlOptions = toGraphiQLOptions(options);
  let files: GraphiQLFiles | undefined;
  const loadFiles = async () => {
    files ??= await createGraphiQLFiles(graphiqlOptions);
    return files;
  };
  return {
    options: graphiqlOptions,
    render: async () => toGraphiQLDocument(await loadFiles()),
    async respondWithFile({ method, url }) {
      return method === 'GET' && isFileURL(url)
        ? respondWithFile(await loadFiles(), url)
        : undefined;
    },
    contentSecurityPolicy: GRAPHIQL_POLICY,
  };
}

/** The page when GraphiQL is off. */
export function createNoticePage(): BrowserPage {
  return {
    options: {},
    render: async () => NOTICE,
    respondWithFile: async () => undefined,
    contentSecurityPolicy: NOTICE_POLICY,
  };
}

/** GraphiQL's own settings. */
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

/** The editor of a window with 1,280 pixels cuts off the longer lines of an operation. */
const MAX_LINE_LENGTH = 48;

/** The wrapped description, and the operation with one field a line. */
function toTabText({ description, query }: ExampleOperation): string {
  const comment = description.replace(
    new RegExp(`(.{1,${MAX_LINE_LENGTH - 2}})(?: |$)`, 'g'),
    '# $1\n',
  );
  return `${comment}${print(parse(query)).replace(LONG_DEFINITIONS, wrapDefinitions)}\n`;
}

/** The variables of an operation whose first line is too long. */
const LONG_DEFINITIONS = new RegExp(
  `^(?=.{${MAX_LINE_LENGTH + 1}})(\\w+ \\w+)\\((.*)\\)(?= \\{$)`,
  'm',
);

/** One variable a line, as Prettier writes them. */
function wrapDefinitions(_line: string, operation: string, definitions: string): string {
  return `${operation}(\n  ${definitions.replaceAll(', $', ',\n  $')}\n)`;
}

const API_KEY_HEADERS = JSON.stringify({ Authorization: 'Bearer <your Revox API key>' }, null, 2);
const TRACE_HEADERS = { 'x-revox-trace': '1' };
