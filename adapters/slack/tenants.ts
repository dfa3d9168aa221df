import { LRUCache } from "lru-cache";
import { GatewayError } from "../../src/domain/errors.ts";
import type { InstallationKeeper } from "../../src/ports/installations.ts";
import type { Page } from "../../src/ports/pages.ts";
import type { Kept } from "../../src/ports/platform.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { UNSTOPPED } from "../shared/signals.ts";
import { createWeb } from "./api.ts";
import { type Feature, scopesOf } from "./features.ts";
import { installPages } from "./install.ts";
import { InstallState } from "./install-state.ts";
import type { Installation } from "./installation.ts";
import { Installations, PREFIX } from "./installations.ts";
import { createKeeper } from "./keeper.ts";
import { createRefresh } from "./rotation.ts";
import { createWorkspace, type Workspace, type WorkspaceOptions } from "./workspace.ts";

/** Workspaces of which something is remembered: their clients, and what is paced for them. */
const WORKSPACES_MAX = 2_000;

export interface OAuth {
  readonly clientId: string;
  readonly clientSecret: Secret;
}

export interface TenantsOptions extends Omit<WorkspaceOptions, "botToken"> {
  readonly oauth: OAuth;
  /** What the app asks a workspace for. */
  readonly features: readonly Feature[];
  readonly publicUrl: string | null;
  readonly kept: Kept;
}

/** The workspaces that have installed the app themselves. */
export interface Tenants {
  readonly of: (tenant: string) => Workspace;
  /** Whether it has; a promise where the store has to be asked. Null: that cannot be told now. */
  readonly serves: (tenant: string) => boolean | Promise<boolean | null>;
  /** Slack says that the app was removed there. Rejects with STORE_*. */
  readonly removed: (tenant: string, atMs: number | null) => Promise<void>;
  readonly pages: readonly Page[];
  readonly keeper: InstallationKeeper;
}

/** Throws CONFIG_INVALID where there is no key to keep tokens with. */
export function createTenants(options: TenantsOptions): Tenants {
  const { oauth, features, publicUrl, kept, clock } = options;
  const { secrets, holds, audit } = kept;
  if (secrets === null)
    throw new GatewayError(
      "CONFIG_INVALID",
      "Expected PARLEY_ENCRYPTION_KEY beside SLACK_CLIENT_ID, got none",
    );
  const web = createWeb({ ...options, botToken: null });
  const ask = async (args: Readonly<Record<string, string | null>>) => {
    const credentials = { client_id: oauth.clientId, client_secret: oauth.clientSecret.reveal() };
    return await web("oauth.v2.access", { ...credentials, ...args }, UNSTOPPED);
  };
  const refresh = createRefresh({
    ...{ secrets, holds, clock },
    exchange: async (token) => await ask({ grant_type: "refresh_token", refresh_token: token }),
    nameOf: (tenant) => PREFIX + tenant,
  });
  const installations = new Installations({ secrets, clock, refresh });
  const workspaces = new LRUCache<string, Workspace>({ max: WORKSPACES_MAX });

  function of(tenant: string): Workspace {
    const known = workspaces.get(tenant);
    if (known !== undefined) return known;
    const made = createWorkspace({ ...options, botToken: installations.tokenOf(tenant) }, "any");
    workspaces.set(tenant, made);
    return made;
  }

  function isThere(installation: Installation | null): boolean {
    if (installation === null) return false;
    const { self } = of(installation.tenant);
    self.userId = installation.botUserId ?? self.userId;
    return true;
  }

  return {
    of,
    serves(tenant) {
      const found = installations.find(tenant);
      return found instanceof Promise ? found.then(isThere, () => null) : isThere(found);
    },
    async removed(tenant, atMs) {
      if (!(await installations.forget(tenant, atMs))) return;
      workspaces.delete(tenant);
      // Not waited for: Slack wants its answer.
      void audit?.write({
        ...{ actor: `slack:${tenant}`, role: "member", action: "installation.removed" },
        subject: `slack:${tenant}`,
      });
    },
    keeper: createKeeper({
      ...{ ...options, secrets, installations, features },
      removed: (tenant) => void workspaces.delete(tenant),
    }),
    pages: installPages({
      ...{ clientId: oauth.clientId, scopes: scopesOf(features), publicUrl, installations, clock },
      state: new InstallState(oauth.clientSecret, secrets, clock),
      exchange: async (code, redirectUri) => await ask({ code, redirect_uri: redirectUri }),
      installed: async ({ tenant, name, installedBy, scopes }) =>
        await audit?.write({
          ...{ actor: `slack:${tenant}:${installedBy ?? "unknown"}`, role: "member" },
          ...{
            action: "installation.added",
            subject: `slack:${tenant}`,
            after: { name, scopes: [...scopes] },
          },
        }),
    }),
  };
}
