import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../config/environment.ts";
import { isLoopbackBind } from "../domain/loopback.ts";
import { Secret } from "../shared/secret.ts";

/** Who may use the test webhook, which runs any agent for anybody it lets in. */
export interface Developers {
  /** Callers on this machine need no key. */
  readonly open: boolean;
  /** Null: no key lets anybody in. */
  readonly key: Secret | null;
  /** Where a key lies that was made at the start; null for one of the operator's. */
  readonly file: string | null;
}

type Relevant = Pick<
  Environment,
  "devKey" | "dataDir" | "host" | "production" | "publicUrl" | "hasCredentials"
>;

/** The operator's key, else the one that this start of the gateway has made. */
export function developersOf(environment: Relevant): Developers {
  const { devKey, dataDir } = environment;
  const made = devKey === null ? readDevKey(dataDir) : null;
  return {
    open: isOpen(environment),
    key: devKey ?? made,
    file: made === null ? null : devKeyFile(dataDir),
  };
}

/**
 * A proxy on this machine that says nothing of itself makes the whole Internet look local. So nobody goes without a
 * key where there is something to lose: people on a platform, or a model that costs money.
 */
function isOpen({ production, host, publicUrl, hasCredentials }: Relevant): boolean {
  return !production && publicUrl === null && !hasCredentials && isLoopbackBind(host);
}

/**
 * Leaves a key in the data folder, for whoever may read that: `parley send test`, and the other processes of this
 * gateway. Where the folder cannot be written there is none, and the webhook stays shut.
 */
export function leaveDevKey({ devKey, dataDir }: Relevant, newKey: () => string): void {
  if (devKey !== null) return;
  const file = devKeyFile(dataDir);
  const temporary = `${file}.new`;
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(temporary, `${newKey()}\n`, { mode: 0o600 });
    // One that lay there keeps its mode, which may be another.
    chmodSync(temporary, 0o600);
    renameSync(temporary, file);
  } catch {
    // Said by the banner: the webhook is shut.
  }
}

/** The key that the gateway on this data folder has made, as far as we may read it. */
export function readDevKey(dataDir: string): Secret | null {
  try {
    const key = readFileSync(devKeyFile(dataDir), "utf8").trim();
    return MADE.test(key) ? new Secret(key) : null;
  } catch {
    return null;
  }
}

/** As `newKey` gives them; a file of any other form is not ours. */
const MADE = /^[A-Za-z0-9_-]{32,64}$/;

function devKeyFile(dataDir: string): string {
  return join(dataDir, "dev-key");
}
