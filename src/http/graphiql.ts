import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { GraphiQLOptions } from 'graphql-yoga';

/** A tab of GraphiQL: one operation, ready to run. */
export interface ReadyOperation {
  readonly query: string;
  readonly variables?: { readonly [name: string]: unknown };
}

// Short lines: the editor is half a window wide, and cuts what is longer.
const WELCOME = `# The Revox API in GraphQL. Run this: Ctrl-Enter.
#
# Every field of the Revox documentation is here, in
# camelCase: to_phone_number is toPhoneNumber.
# The book on the left opens the documentation.
query LatestAttempts {
  callAttempts(first: 5, statuses: [COMPLETED]) {
    nodes {
      status
      result
      phoneNumber
      startedAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`;

/** GraphiQL's own settings. The page is served whole, and needs no other host. */
export function toGraphiQLOptions(operations: readonly ReadyOperation[], asksForKey: boolean): GraphiQLOptions {
  return {
    title: 'Revox',
    defaultQuery: WELCOME,
    defaultTabs: [{ query: WELCOME }, ...operations].map(({ query, ...rest }) => ({
      query,
      ...('variables' in rest ? { variables: JSON.stringify(rest.variables, null, 2) } : {}),
      ...(asksForKey ? { headers: KEY_HEADER } : {}),
    })),
    ...(asksForKey ? { headers: KEY_HEADER } : {}),
    credentials: 'same-origin',
  };
}

const KEY_HEADER = JSON.stringify({ Authorization: 'Bearer <your Revox API key>' }, null, 2);

/** GraphiQL's page with everything it needs inside, and two faults of it mended. */
export function renderPage(options?: GraphiQLOptions): string {
  return renderGraphiQL(options).replace('<div id="root"></div>', (root) => MENDS + root);
}

/**
 * 1. Tabs can be dragged, and for that are pushed over each other when the window changes its size and when one is pressed for the
 *    first time, so that a click meets another tab or none (github.com/motiondivision/motion/issues/3823). Here they keep their places.
 * 2. The editor puts a box around each dash and apostrophe that is not ASCII: in French answers, around a good part of the text.
 */
const MENDS = `<script>
  addEventListener('pointerdown', (event) => event.target.closest?.('.graphiql-tab') && event.stopPropagation(), true);
</script>
<style>
  .graphiql-tab { transform: none !important; }
  .monaco-editor .unicode-highlight { border: 0; background: none; }
</style>
`;
