import process from "node:process";
import { serve } from "../../src/main.ts";

/** The gateway, with leases of so many milliseconds: a test that waits for one to run out cannot wait half a minute. */
process.exitCode = await serve({}, { leaseMs: Number(process.argv[2]) });
