import type { Server } from "node:http";
import { banner } from "./app/banner.ts";
import { type App, createApp } from "./app.ts";
import { type Loaded, loadConfig } from "./config/load.ts";
import { formatProblem } from "./config/problems.ts";
import { DRAIN_MS } from "./domain/bounds.ts";
import { GatewayError } from "./domain/errors.ts";
import { systemClock } from "./telemetry/clock.ts";
import { createLogger, type Logger } from "./telemetry/log.ts";
import { createMetrics } from "./telemetry/metrics.ts";
import { packageVersion } from "./telemetry/version.ts";

export interface ServeOptions {
  readonly port?: number;
  readonly host?: string;
  readonly config?: string;
  readonly dataDir?: string;
}

/** Exit codes of sysexits.h, and what a shell gives for an interrupted program. */
const EXIT = { ok: 0, failed: 1, unavailable: 69, badConfig: 78, interrupted: 130 } as const;

/** Runs the gateway until it is told to stop. Gives the exit code; talk is on stderr, log lines on stdout. */
export async function serve(options: ServeOptions): Promise<number> {
  const loaded = await load(options);
  if (!loaded.ok) {
    for (const problem of loaded.problems) console.error(formatProblem(problem));
    return EXIT.badConfig;
  }

  const { config } = loaded;
  const { environment } = config;
  const log = await createLogger({ level: environment.logLevel, pretty: process.stdout.isTTY === true });
  const metrics = createMetrics({ processMetrics: true });
  const version = packageVersion();
  try {
    const death = Promise.withResolvers<never>();
    death.promise.catch(() => {});
    const app = await createApp({
      config,
      clock: systemClock,
      random: Math.random,
      log,
      metrics,
      version,
      onStoreDeath: death.reject,
    });
    // Before anybody can know that we listen: a signal must never find the default handler, which does not drain.
    const stopped = untilStopped(app, log);
    await listen(app.server, environment.port, environment.host);
    app.startWork();
    console.error(banner(app, config, version));
    log.info(
      { version, host: environment.host, port: environment.port, platforms: app.platforms },
      "gateway.started",
    );
    return await Promise.race([stopped, death.promise]);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    log.fatal({ code: error.code, cause: error.message }, "gateway.failed");
    console.error(`${error.code}: ${error.message}`);
    return EXIT_OF[error.code] ?? EXIT.failed;
  }
}

/** Prices are checked only when models are called for money: their table is a fifth of the memory of an idle process. */
async function load({ config: folder, ...overrides }: ServeOptions): Promise<Loaded> {
  const options = { folder, env: withOverrides(process.env, overrides), cwd: process.cwd() };
  const loaded = loadConfig(options);
  if (!loaded.ok || loaded.config.environment.anthropic === null) return loaded;
  const { priceOf } = await import("./models/price-table.ts");
  return loadConfig({ ...options, isPriced: (provider, model) => priceOf(provider, model) !== undefined });
}

const EXIT_OF: Partial<Record<string, number>> = {
  CONFIG_INVALID: EXIT.badConfig,
  STORE_OPEN_FAILED: EXIT.unavailable,
  STORE_LOCKED: EXIT.unavailable,
  STORE_SCHEMA_NEWER: EXIT.unavailable,
};

function withOverrides(env: NodeJS.ProcessEnv, { port, host, dataDir }: ServeOptions): NodeJS.ProcessEnv {
  return {
    ...env,
    ...(port !== undefined && { PARLEY_PORT: String(port) }),
    ...(host !== undefined && { PARLEY_HOST: host }),
    ...(dataDir !== undefined && { PARLEY_DATA_DIR: dataDir }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const hint =
        error.code === "EADDRINUSE"
          ? "; something listens there already, choose another with PARLEY_PORT"
          : "";
      reject(
        new GatewayError("LISTEN_FAILED", `Cannot listen on ${host}:${port} (${error.code})${hint}`, {
          cause: error,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** Drains on SIGTERM or SIGINT and gives 0; a second signal, or a drain that hangs, ends the process at once. */
function untilStopped(app: App, log: Logger): Promise<number> {
  return new Promise((resolve, reject) => {
    let draining = false;
    const onSignal = (signal: NodeJS.Signals) => {
      if (draining) {
        log.warn({ signal }, "gateway.stopped_at_once");
        process.exit(EXIT.interrupted);
      }
      draining = true;
      log.info({ signal }, "gateway.draining");
      console.error(
        "Draining: no new requests; running answers finish or are handed back. Once more to stop at once.",
      );
      setTimeout(() => {
        log.error("gateway.drain_timed_out");
        process.exit(EXIT.failed);
      }, DRAIN_MS).unref();
      drain(app).then(() => {
        log.info("gateway.stopped");
        resolve(EXIT.ok);
      }, reject);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
    whenNpmIsGone(() => {
      if (!draining) onSignal("SIGTERM");
    });
  });
}

const PARENT_CHECK_MS = 250;

/**
 * npm passes a signal on to the shell of its script, and a shell that dies of it tells nobody: a gateway left
 * behind would hold the port and the database against its successor. Another parent means that this one is gone.
 */
function whenNpmIsGone(tell: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    tell();
  }, PARENT_CHECK_MS);
  check.unref();
}

async function drain(app: App): Promise<void> {
  const closed = new Promise<void>((resolve) => app.server.close(() => resolve()));
  app.server.closeIdleConnections();
  await app.stop();
  // Requests that are still open have had their answer by now, or never will.
  app.server.closeAllConnections();
  await closed;
}
