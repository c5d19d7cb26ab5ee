import { ApolloLink } from '@apollo/client';
import { tap } from 'rxjs';
import { keepRawValues, type RawValues } from './raw-values.ts';

export function createRawValueLink(rawValues: RawValues): ApolloLink {
  return new ApolloLink((operation, forward) =>
    forward(operation).pipe(
      tap((result) => {
        if ('data' in result) keepRawValues(rawValues, result);
      }),
    ),
  );
}
