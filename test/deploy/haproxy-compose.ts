// HAProxy's configuration for Compose, made from the one for hosts: `node test/deploy/haproxy-compose.ts` writes it.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ROOT } from "./rule-files.ts";

export const COMPOSE_EDGE = join(ROOT, "deploy/haproxy/haproxy.compose.cfg");

const CHANGES: readonly (readonly [RegExp, string])[] = [
  [
    /^# HAProxy before Parley(?:.*\n#)*.*\n/,
    `# HAProxy in compose.prod.yaml: made from haproxy.cfg by \`node test/deploy/haproxy-compose.ts\`, with the gateways that Compose
# runs in place of three on a host. A test keeps it current.
`,
  ],
  // The image is not run as root.
  [/^ +# Debian's; .*\n +user haproxy\n +group haproxy\n/m, ""],
  [/^ +bind 127\.0\.0\.1:8443 /m, "    # Compose publishes it on this machine alone.\n    bind :8443 "],
  // As many as there are, and wherever they are: Docker's own DNS says.
  [
    /^ +server one .*\n +server two .*\n +server three .*\n/gm,
    "    server-template gateway 10 gateway:8080 resolvers docker init-addr none\n",
  ],
  [
    /^backend others/m,
    `resolvers docker
    nameserver dns 127.0.0.11:53
    hold valid 5s

backend others`,
  ],
];

export function composeEdge(): string {
  const shipped = readFileSync(join(ROOT, "deploy/haproxy/haproxy.cfg"), "utf8");
  return CHANGES.reduce((text, [from, to]) => {
    const changed = text.replace(from, to);
    if (changed === text) throw new Error(`Expected ${from.source} in haproxy.cfg, got none`);
    return changed;
  }, shipped);
}

if (process.argv[1] === import.meta.filename) writeFileSync(COMPOSE_EDGE, composeEdge());
