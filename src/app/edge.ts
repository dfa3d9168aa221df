import type { Environment } from "../config/environment.ts";
import { isLoopbackBind } from "../domain/loopback.ts";
import type { ServerDeps } from "../ingress/server.ts";

/** The names under which this gateway is asked. */
export function hostRulesOf({ host, publicUrl, allowedHosts }: Environment): ServerDeps["hosts"] {
  const own = publicUrl === null ? [] : [new URL(publicUrl).hostname];
  return { bind: host, names: [...own, ...allowedHosts], isLocalOnly: isLoopbackBind(host) };
}

/**
 * Whether metrics are told to whoever asks from inside although there is something to lose. A proxy that shows itself in
 * nothing cannot be told from its clients; unlike the test webhook this stays open to it, because nothing is done for
 * whoever asks, and scrapers without a token are the custom. So it is said, at the start and by doctor.
 */
export function isWatchOpen({
  metricsPort,
  metricsToken,
  hasCredentials,
}: Pick<Environment, "metricsPort" | "metricsToken" | "hasCredentials">): boolean {
  return metricsPort === null && metricsToken === null && hasCredentials;
}

/** Who may see metrics and heartbeat. */
export function watchRulesOf({ metricsPort, metricsToken, adminToken }: Environment): ServerDeps["watch"] {
  const tokens = [metricsToken, adminToken].filter((token) => token !== null);
  return { isApart: metricsPort !== null, tokens, needsToken: metricsToken !== null };
}
