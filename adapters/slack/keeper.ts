import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import type { InstallationFacts, InstallationKeeper } from "../../src/ports/installations.ts";
import type { Secrets } from "../../src/ports/secrets.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { PROBE_TIMEOUT_MS, probed, well } from "../shared/probe.ts";
import { askSlack, type WebOptions } from "./api.ts";
import type { Feature } from "./features.ts";
import { grantedBy, lacking } from "./granted.ts";
import { type Installation, readInstallation } from "./installation.ts";
import { type Installations, PREFIX } from "./installations.ts";
import { INSTALL } from "./paths.ts";

export interface KeeperOptions extends Omit<WebOptions, "botToken"> {
  readonly secrets: Pick<Secrets, "get">;
  readonly installations: Installations;
  readonly features: readonly Feature[];
  /** What is remembered of a workspace goes with its installation. */
  readonly removed: (tenant: string) => void;
}

/** What operators see of installations, and do with them. */
export function createKeeper(options: KeeperOptions): InstallationKeeper {
  const { secrets, installations, features } = options;
  const web = { ...options, timeoutMs: Math.min(options.timeoutMs, PROBE_TIMEOUT_MS) };

  async function look(tenant: string): Promise<Installation | "unreadable" | null> {
    try {
      const kept = await secrets.get(PREFIX + tenant);
      return kept === null ? null : (readInstallation(kept.text) ?? "unreadable");
    } catch (error) {
      if (error instanceof GatewayError && error.code === "SECRET_UNREADABLE") return "unreadable";
      throw error;
    }
  }

  return {
    async list({ after, limit }) {
      const tenants = await installations.tenants(after ?? undefined, limit);
      const found = await Promise.all(tenants.map(async (tenant) => ({ tenant, kept: await look(tenant) })));
      return found.flatMap(({ tenant, kept }) =>
        kept === null ? [] : [{ tenant, about: kept === "unreadable" ? null : factsOf(kept) }],
      );
    },
    async remove(tenant, signal) {
      const kept = await look(tenant);
      if (kept === null) return false;
      const isGone = await installations.forget(tenant, null);
      options.removed(tenant);
      // What is forgotten here would go on to open the workspace for whoever has a copy of it.
      if (kept !== "unreadable") await revoke(kept.token, signal);
      return isGone;
    },
    async check(tenant, signal) {
      const kept = await look(tenant);
      if (kept === null) return [];
      if (kept === "unreadable") return [UNREADABLE];
      return await probed({ address: "SLACK_API_URL", credential: "its installation" }, async () => {
        try {
          const token = await installations.tokenOf(tenant).current("auth.test");
          const { failure, headers } = await askSlack(web, token, ["auth.test", {}, signal]);
          if (failure !== null) throw failure;
          const granted = grantedBy(headers["x-oauth-scopes"]) ?? kept.scopes;
          return [well("Slack takes its token"), ...lacking(features, granted)];
        } catch (error) {
          if (error instanceof DeliveryError && error.kind === "refused") return [refused(tenant, error)];
          throw error;
        }
      });
    },
  };

  async function revoke(token: Secret, signal: AbortSignal): Promise<void> {
    await askSlack(web, token, ["auth.revoke", {}, signal]).catch(() => {});
  }
}

const UNREADABLE: ProbeFinding = {
  status: "fail",
  message: "no key of PARLEY_ENCRYPTION_KEY opens its token",
  fix: "put back the key that it was sealed with, or have the app installed again",
  code: "PLATFORM_REFUSED",
};

function refused(tenant: string, { message }: DeliveryError): ProbeFinding {
  return {
    status: "fail",
    message: `Slack does not take its token: ${message}`,
    fix: `have the app installed again at ${INSTALL}, or parley installations remove slack:${tenant}`,
    code: "PLATFORM_REFUSED",
  };
}

function factsOf(kept: Installation): InstallationFacts {
  const { name, isEnterprise, scopes, installedAtMs, installedBy, rotation } = kept;
  const expiresAtMs = rotation?.expiresAtMs ?? null;
  return { name, isOrganisation: isEnterprise, scopes, installedAtMs, installedBy, expiresAtMs };
}
