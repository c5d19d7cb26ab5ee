import { type ApolloLink, type DocumentNode, HttpLink } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';

/** A document of the client preset with `persistedDocuments`. */
type PersistedDocument = DocumentNode & { readonly __meta__?: { readonly hash?: string } };

/** @param isProduction `import.meta.env.PROD` with Vite */
export function createHttpLink(uri: string, isProduction: boolean): ApolloLink {
  const httpLink = new HttpLink({ uri });
  if (!isProduction) return httpLink;
  return new PersistedQueryLink({
    generateHash(document: PersistedDocument) {
      const hash = document.__meta__?.hash;
      if (!hash) throw new Error('The document has no id: run the code generator for production.');
      return hash;
    },
  }).concat(httpLink);
}
