import { subscribe } from './fetch.ts';

const tabs: MessagePort[] = [];
const latest = new Map<string, unknown>();
let token = '';
let isWatching = false;

(globalThis as unknown as EventTarget).addEventListener('connect', (event) => {
  const [tab] = (event as MessageEvent).ports;
  if (!tab) return;
  tabs.push(tab);
  for (const update of latest.values()) tab.postMessage(update);
  tab.onmessage = ({ data }) => {
    token = data.token;
    if (!isWatching) void watch(data.url, data.ids);
    isWatching = true;
  };
});

async function watch(url: string, ids: string[]): Promise<void> {
  const query = `subscription Ends($ids: [ID!]!) {
    callsEnded(ids: $ids) { callId call { status } }
  }`;
  for await (const { data } of subscribe(url, { query, variables: { ids } }, () => token)) {
    latest.set(data.callsEnded.callId, data.callsEnded);
    for (const tab of tabs) tab.postMessage(data.callsEnded);
  }
}
