import { OperationTooComplexError } from '#errors/gateway-error.ts';

/** Maximum characters of a subscription: a stream retains its document and variables. */
const MAX_CHARACTERS = 65_536;

/** @throws OperationTooComplexError */
export function checkSubscriptionSize(
  document: string | undefined,
  variables: object | undefined,
): void {
  const characters =
    (document?.length ?? 0) + (variables === undefined ? 0 : JSON.stringify(variables).length);
  if (characters <= MAX_CHARACTERS) return;
  throw new OperationTooComplexError(
    `The document and the variables of the subscription have ${characters} characters`,
    { limit: MAX_CHARACTERS, measured: characters },
  );
}
