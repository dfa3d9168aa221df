import process from "node:process";

/** The gateway, with leases of so many milliseconds: a test that waits for one to run out cannot wait half a minute. */
const compiled = new URL("../../dist/src/main.js", import.meta.url).href;
const { serve } = (await import(compiled)) as typeof import("../../src/main.ts");
process.exitCode = await serve({}, { leaseMs: Number(process.argv[2]) });
