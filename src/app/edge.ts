import type { Environment } from "../config/environment.ts";
import { isLoopbackBind } from "../domain/loopback.ts";
import type { ServerDeps } from "../ingress/server.ts";

/** The names under which this gateway is asked. */
export function hostRulesOf({ host, publicUrl, allowedHosts }: Environment): ServerDeps["hosts"] {
  const own = publicUrl === null ? [] : [new URL(publicUrl).hostname];
  return { bind: host, names: [...own, ...allowedHosts], isLocalOnly: isLoopbackBind(host) };
}

/** Who may see metrics and heartbeat. */
export function watchRulesOf({ metricsPort, metricsToken, adminToken }: Environment): ServerDeps["watch"] {
  const tokens = [metricsToken, adminToken].filter((token) => token !== null);
  return { isApart: metricsPort !== null, tokens, needsToken: metricsToken !== null };
}
