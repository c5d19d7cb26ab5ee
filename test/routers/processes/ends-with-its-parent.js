// Loaded first into each router: when the tests are gone, in whatever way, so is it.
process.stdin.resume().once('close', () => process.exit());
