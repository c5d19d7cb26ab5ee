import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import relay from 'vite-plugin-relay';

/** The gateway compares the origin of a request with its host, which the proxy must not change. */
const proxy = {
  '/graphql': {
    target: process.env.GATEWAY_URL ?? 'http://127.0.0.1:4000',
    changeOrigin: false,
    // Subscriptions over WebSocket.
    ws: true,
  },
};

export default defineConfig({
  plugins: [react(), relay],
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
});
