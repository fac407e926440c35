import { setDefaultTimeout } from 'bun:test';

// Bun's five seconds are short for a browser or a database server on a busy machine.
setDefaultTimeout(60_000);
