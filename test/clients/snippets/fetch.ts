/** Yields the results of a subscription, and subscribes again after an interruption. */
export async function* subscribe(url: string, body: object, readToken: () => string) {
  for (;;) {
    let retryMs = 3000;
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${readToken()}`,
      },
      body: JSON.stringify(body),
    }).catch(() => undefined);
    if (response?.ok) {
      try {
        for await (const { event, data, retry } of readEvents(response)) {
          if (event === 'next') yield JSON.parse(data ?? '');
          if (event === 'complete') return;
          if (retry) retryMs = Number(retry);
        }
      } catch {
        // The connection was cut.
      }
    } else if (response?.status === 429 || response?.status === 503) {
      retryMs = 1000 * Number(response.headers.get('retry-after'));
    } else if (response) {
      throw new Error(await response.text());
    }
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }
}

/** The events of a stream, each as its fields. */
async function* readEvents({ body }: Response) {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let chunk = await reader?.read(); chunk?.value; chunk = await reader?.read()) {
    const events = (text + chunk.value).split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const lines = event.split('\n').map((line) => line.split(/: ?(.*)/s, 2));
      yield Object.fromEntries(lines) as { event?: string; data?: string; retry?: string };
    }
  }
}
