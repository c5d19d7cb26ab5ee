/**
 * A `fetch` for clients of the gateway: it sends the token of the user, and renews it once when the
 * gateway responds with 401.
 * @param renewToken returns a new token; rejects if the user must sign in again
 */
export function createTokenFetch(renewToken: () => Promise<string>): typeof fetch {
  let current: Promise<string> | undefined;
  const renew = () => {
    const token = renewToken();
    current = token;
    token.catch(() => {
      // The next request tries again.
      if (current === token) current = undefined;
    });
    return token;
  };

  return async (input, init) => {
    const send = async (token: Promise<string>) => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${await token}`);
      return fetch(input, { ...init, headers });
    };
    const used = current ?? renew();
    const response = await send(used);
    if (response.status !== 401) return response;
    // Requests that fail together share one new token.
    return send(current && current !== used ? current : renew());
  };
}
