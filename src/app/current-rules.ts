import { hostname } from "node:os";
import type { AdmissionPolicy } from "../admit/policy.ts";
import { fingerprintOf, needsStart } from "../config/changes.ts";
import type { Config, Loaded } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import { changedSecrets, renewSecrets } from "../config/renewal.ts";
import type { GatewaySpec } from "../config/schema.ts";
import { GatewayError } from "../domain/errors.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Audit } from "../ports/audit.ts";
import type { Clock } from "../ports/clock.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { BuiltAgents } from "./agents.ts";

/** What a configuration decides while the process runs: who is let in, and who answers how. */
export interface Rules {
  readonly config: Config;
  readonly spec: GatewaySpec;
  readonly policy: AdmissionPolicy;
  readonly agents: BuiltAgents;
}

export interface CurrentRulesDeps {
  readonly load: () => Promise<Loaded>;
  /** All of it, or it throws CONFIG_INVALID. */
  readonly build: (config: Config) => Promise<Rules>;
  /** They hold from now on. */
  readonly onChange: (rules: Rules) => void;
  /** The secrets of these variables are others from now on. */
  readonly renewed?: (secrets: readonly string[]) => void;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  readonly metrics: Metrics;
  /** Absent: nobody keeps what was read again. */
  readonly audit?: Audit;
}

/** `signal`: somebody asked for it, and is answered whatever comes of it. */
export type Why = "signal" | "file";

/** A change is found so soon, and believed when the next look finds the same: nobody is in the middle of writing. */
const LOOK_MS = 2_000;
const GONE = "gateway.yaml: expected the file that was there, got nothing; a restart takes the defaults";
/** In one line of the log. */
const PROBLEMS_SHOWN = 20;

/**
 * The rules that hold, read anew when somebody asks or a file has changed: whole, or not at all. What is wrong leaves those
 * that hold as they are. Whoever has begun something with them goes on with them.
 */
export class CurrentRules {
  readonly #deps: CurrentRulesDeps;
  /** As the process was started. */
  readonly #first: Config;
  #rules: Rules;
  #sinceMs: number;
  /** Null: the files are what holds. */
  #refused: { readonly problems: readonly string[]; readonly atMs: number } | null = null;
  /** One at a time; who asks meanwhile waits for the next. */
  #reading: Promise<void> = Promise.resolve();

  constructor(rules: Rules, deps: CurrentRulesDeps) {
    this.#deps = deps;
    this.#first = rules.config;
    this.#rules = rules;
    this.#sinceMs = deps.clock.nowMs();
    this.#show();
  }

  readonly current = (): Rules => this.#rules;

  /** Never rejects. */
  reload(why: Why): Promise<void> {
    this.#reading = this.#reading.then(() => this.#reload(why));
    return this.#reading;
  }

  /** Looks at the files until the signal. Never rejects. */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const look = () => {
      const { environment, secretFiles } = this.#rules.config;
      const secrets = [...secretFiles.values()].map(({ path }) => path);
      return fingerprintOf(environment.configFolder, secrets);
    };
    let known = await look();
    let isNew = false;
    while (!signal.aborted) {
      await clock.sleep(LOOK_MS, signal).catch(() => {});
      const found = await look();
      if (signal.aborted) return;
      if (found === known && isNew) await this.reload("file");
      isNew = found !== known;
      known = found;
    }
  }

  /** For /ready, where anybody may read it: which file, and not what is in it. */
  readonly report = (): ComponentReport => {
    const { digest } = this.#rules.config;
    const holds = `${digest}, read ${iso(this.#sinceMs)}`;
    if (this.#refused === null) {
      const waits = this.#waitsForStart();
      const later = waits.length === 0 ? "" : `; a restart applies ${waits.join(", ")}`;
      return { status: "ok", details: holds + later };
    }
    const { problems, atMs } = this.#refused;
    const details = `the files were refused at ${iso(atMs)} (${problems.length} problems, see the log); what holds is ${holds}`;
    return { status: "degraded", code: "CONFIG_INVALID", details };
  };

  async #reload(why: Why): Promise<void> {
    const { load, log } = this.#deps;
    try {
      const loaded = await load();
      if (loaded.ok) await this.#take(loaded.config, why);
      else this.#refuse(loaded.problems.map(formatProblem), why);
    } catch (error) {
      if (error instanceof GatewayError) return this.#refuse([error.message], why);
      log.error({ err: error }, "configuration.reload_failed");
      this.#deps.metrics.configReloads.inc({ outcome: "failed" });
    }
  }

  async #take(config: Config, why: Why): Promise<void> {
    const { build, onChange, renewed, clock, log, metrics } = this.#deps;
    // The defaults let everybody in: a folder that is swapped, or gone, must not bring them back.
    if (this.#rules.config.isDescribed && !config.isDescribed) return this.#refuse([GONE], why);
    const isSame = config.digest === this.#rules.config.digest;
    const secrets = changedSecrets(this.#rules.config, config);
    // Touched, and nothing more.
    if (isSame && secrets.length === 0 && why === "file" && this.#refused === null) return;
    const rules = await build(config);
    const { digest: before } = this.#rules.config;
    renewSecrets(this.#first, config);
    this.#rules = rules;
    this.#refused = null;
    this.#sinceMs = clock.nowMs();
    onChange(rules);
    this.#show();
    metrics.configReloads.inc({ outcome: isSame ? "unchanged" : "reloaded" });
    const notes = config.notes.slice(0, PROBLEMS_SHOWN);
    log.info({ why, digest: config.digest, changed: !isSame, notes }, "configuration.reloaded");
    if (secrets.length > 0) {
      log.info({ secrets }, "secrets.renewed");
      renewed?.(secrets);
    }
    const names = secrets.length === 0 ? {} : { secrets };
    this.#tell("reloaded", { digest: before }, { digest: config.digest, ...names, why });
    const settings = this.#waitsForStart();
    if (settings.length > 0) log.warn({ settings }, "configuration.needs_restart");
  }

  #refuse(problems: readonly string[], why: Why): void {
    const { clock, log, metrics } = this.#deps;
    // A file that is touched again and again, and is wrong in the same way.
    const isKnown = this.#refused?.problems.join("\n") === problems.join("\n");
    if (isKnown && why === "file") return;
    this.#refused = { problems, atMs: clock.nowMs() };
    metrics.configReloads.inc({ outcome: "refused" });
    const { digest } = this.#rules.config;
    const shown = problems.slice(0, PROBLEMS_SHOWN);
    log.error({ why, problems: shown, count: problems.length, holds: digest }, "configuration.refused");
    this.#tell("refused", { digest }, { digest, problems: problems.length, why });
  }

  /** Not what is wrong: a problem may quote the file. */
  #tell(what: "reloaded" | "refused", before: object, after: object): void {
    void this.#deps.audit?.write({
      ...{ actor: "gateway", role: "system", action: `configuration.${what}`, subject: "configuration" },
      ...{ before, after: { ...after, host: hostname() } },
    });
  }

  #waitsForStart(): readonly string[] {
    return needsStart(this.#first, this.#rules.config);
  }

  #show(): void {
    const { metrics } = this.#deps;
    metrics.configInfo.reset();
    metrics.configInfo.set({ digest: this.#rules.config.digest }, 1);
    metrics.configReadAt.set(this.#sinceMs / 1000);
  }
}
