import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./gateway-process.ts";

const AGENT = `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: demo, model: demo }
  budgets: { tokens: 1000000 }
  retry: { backoff_seconds: 0 }
`;

const HEAD = `apiVersion: parley/v1
kind: Gateway
spec:
`;

/** Nobody is too fast: what these tests are about is elsewhere. */
export const NO_LIMITS = `  limits: { user: off, conversation: off, tenant: off, global: off }
  routes: [{ agent: assistant }]
`;

/** A folder for `PARLEY_CONFIG`. `spec` is YAML, indented by two; the demo model answers, unless another `agent` is given. */
export function configFolder(spec: string = NO_LIMITS, agent: string = AGENT): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "gateway.yaml"), HEAD + spec);
  mkdirSync(join(folder, "agents"));
  writeFileSync(join(folder, "agents/assistant.yaml"), agent);
  return folder;
}
