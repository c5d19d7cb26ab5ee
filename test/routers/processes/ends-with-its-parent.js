// Loaded first into each router: the router exits when the test process ends, even if it crashes.
process.stdin.resume().once('close', () => process.exit());
