import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { MODULES } from "../adapters/index.ts";
import { leaveDevKey } from "./app/developers.ts";
import { onHangUp } from "./app/hang-up.ts";
import type { Supervised } from "./app/processes/supervised.ts";
import { onSignals, type StopRequest, untilStopped } from "./app/stopping.ts";
import { type Config, type Loaded, loadConfig } from "./config/load.ts";
import { callsModels } from "./config/model-keys.ts";
import { formatProblem } from "./config/problems.ts";
import { GatewayError } from "./domain/errors.ts";
import { besideModule } from "./shared/beside.ts";
import { EXIT } from "./shared/exit.ts";
import { systemClock } from "./system/clock.ts";
import { nameSources } from "./system/stacks.ts";
import { packageVersion } from "./system/version.ts";
import { giveBackWhenIdle, keepHeapsSmall } from "./telemetry/heap.ts";
import { createLogger, type Logger, written } from "./telemetry/log.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { NO_TRACING, type Tracing } from "./telemetry/trace.ts";

export interface ServeOptions {
  readonly port?: number;
  readonly host?: string;
  readonly config?: string;
  readonly dataDir?: string;
  readonly role?: string;
  readonly processes?: number;
}

const DRAINING =
  "Draining: no new requests; running answers finish or are handed back. Once more to stop at once.";

/** Runs the gateway until it is told to stop. Gives the exit code; talk is on stderr, log lines on stdout. */
export async function serve(options: ServeOptions, { leaseMs }: { leaseMs?: number } = {}): Promise<number> {
  const overrides = overridesOf(options);
  const loadAgain = () => load({ ...process.env, ...overrides });
  const loaded = await loadAgain();
  if (!loaded.ok) {
    for (const problem of loaded.problems) console.error(formatProblem(problem));
    return EXIT.config;
  }
  const { config } = loaded;
  if (config.environment.processes > 1) return await supervise(config, overrides);
  const tracing = await tracingOf(config);
  const log = await loggerOf(config, undefined, tracing);
  return await runGateway({
    config,
    tracing,
    load: loadAgain,
    onReload: onHangUp(log),
    leaseMs,
    log,
    metrics: createMetrics({ processMetrics: true }),
    newDevKey,
    up: (banner) => console.error(banner),
    failed: (_, reason) => console.error(reason),
    onStop: (stop) =>
      onSignals((how) => {
        if (how === "drain") console.error(DRAINING);
        stop(how);
      }),
  });
}

/** Of several processes: this one starts them, watches them and passes on what it is told. */
async function supervise(config: Config, overrides: Readonly<Record<string, string>>): Promise<number> {
  const { processes } = config.environment;
  const [{ Supervisor }, { createFork }] = await Promise.all([
    import("./app/processes/supervisor.ts"),
    import("./app/processes/fork.ts"),
  ]);
  if (config.environment.role !== "worker") leaveDevKey(config.environment, newDevKey);
  const log = await loggerOf(config, 0);
  const onReload = onHangUp(log);
  const supervisor = new Supervisor({
    processes,
    fork: createFork(PROCESS, overrides),
    clock: systemClock,
    random: Math.random,
    log,
    metrics: createMetrics(),
    print: (text) => console.error(text),
  });
  onSignals((how) => {
    if (how === "drain") console.error(DRAINING);
    log.info({ why: how }, "processes.stopping");
    supervisor.stop();
  });
  onReload(() => supervisor.reload());
  log.info({ processes, pid: process.pid }, "processes.started");
  const code = await supervisor.run();
  log.info({ exit_code: code }, "processes.stopped");
  await written(log);
  return code;
}

const PROCESS = new URL(besideModule(import.meta.url, "process"));

/** Runs process number `n` of several, under a supervisor that passed on its own environment. */
export async function serveSupervised(n: number): Promise<number> {
  nameSources();
  const { connectToSupervisor } = await import("./app/processes/supervised.ts");
  const own = createMetrics({ processMetrics: true });
  const supervisor = connectToSupervisor(own, systemClock);
  const loadAgain = () => load(process.env);
  const loaded = await loadAgain();
  if (!loaded.ok) {
    const reason = loaded.problems.map(formatProblem).join("\n");
    supervisor.send({ kind: "failed", code: EXIT.config, reason });
    return EXIT.config;
  }
  const tracing = await tracingOf(loaded.config);
  const log = await loggerOf(loaded.config, n, tracing);
  const onHungUp = onHangUp(log);
  return await runGateway({
    config: loaded.config,
    tracing,
    load: loadAgain,
    onReload(reload) {
      supervisor.onReload(reload);
      onHungUp(reload);
    },
    log,
    metrics: supervisor.metrics,
    siblings: supervisor.siblings,
    up: (banner) => supervisor.send({ kind: "up", banner }),
    failed: (code, reason) => supervisor.send({ kind: "failed", code, reason }),
    onStop(stop) {
      supervisor.onStop(stop);
      // A terminal and systemd send a signal to all of us, and the supervisor passes on its own.
      onSignals(() => stop("drain"));
    },
  });
}

interface GatewayProcess {
  readonly config: Config;
  readonly tracing: Tracing;
  /** Reads it again. */
  readonly load: () => Promise<Loaded>;
  /** Somebody wants it to be read again. */
  readonly onReload: (reload: () => void) => void;
  readonly leaseMs?: number | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly siblings?: Supervised["siblings"];
  readonly newDevKey?: () => string;
  /** It listens; the banner is for a person at the terminal. */
  readonly up: (banner: string) => void;
  readonly failed: (code: number, reason: string) => void;
  readonly onStop: (stop: (how: StopRequest) => void) => void;
}

async function runGateway({
  config,
  tracing,
  load,
  onReload,
  leaseMs,
  log,
  metrics,
  siblings,
  newDevKey,
  up,
  failed,
  onStop,
}: GatewayProcess): Promise<number> {
  const { host, port, metricsPort } = config.environment;
  const version = packageVersion();
  keepHeapsSmall();
  try {
    // Only now: a supervisor needs none of it in memory.
    const [{ createApp }, { banner }] = await Promise.all([import("./app.ts"), import("./app/banner.ts")]);
    const death = Promise.withResolvers<never>();
    death.promise.catch(() => {});
    const app = await createApp({
      config,
      load,
      clock: systemClock,
      random: Math.random,
      log,
      metrics,
      version,
      tracing,
      ...(siblings && { siblings }),
      ...(newDevKey && { newDevKey }),
      onStoreDeath: death.reject,
      leaseMs,
    });
    // Before anybody can know that we listen: a signal must never find the default handler, which does not drain.
    const stopped = untilStopped(app, log, onStop);
    onReload(() => void app.reload());
    await listen(app.server, port, host);
    if (app.watch !== null) await listen(app.watch, metricsPort ?? 0, host, "PARLEY_METRICS_PORT");
    app.startWork();
    giveBackWhenIdle();
    up(banner(app, config, version));
    const { port: listening } = app.server.address() as AddressInfo;
    log.info(
      { version, pid: process.pid, host, port: listening, platforms: app.platforms },
      "gateway.started",
    );
    return await Promise.race([stopped, death.promise]);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const code = EXIT_OF[error.code] ?? EXIT.failed;
    log.fatal({ code: error.code, cause: error.message }, "gateway.failed");
    failed(code, `${error.code}: ${error.message}`);
    return code;
  } finally {
    await tracing.close();
    await written(log);
  }
}

/** As long as nobody guesses, and nothing in it that a shell would read. */
function newDevKey(): string {
  return randomBytes(24).toString("base64url");
}

const EXIT_OF: Partial<Record<string, number>> = {
  CONFIG_INVALID: EXIT.config,
  STORE_OPEN_FAILED: EXIT.unreachable,
  STORE_LOCKED: EXIT.unreachable,
  STORE_DAMAGED: EXIT.unreachable,
  STORE_MOVED: EXIT.unreachable,
  STORE_SCHEMA_NEWER: EXIT.unreachable,
  STORE_UNAVAILABLE: EXIT.unreachable,
  STORE_UNSAFE: EXIT.config,
};

/** Prices are checked only when models are called for money: their table is a fifth of the memory of an idle process. */
async function load(env: NodeJS.ProcessEnv): Promise<Loaded> {
  const options = { modules: MODULES, env, cwd: process.cwd() };
  const loaded = loadConfig(options);
  if (!loaded.ok || !callsModels(loaded.config)) return loaded;
  const { contextTokensOf, isPriced, pricedModels } = await import("./models/price-table.ts");
  return loadConfig({
    ...options,
    isPriced,
    pricedModels,
    contextTokensOf,
  });
}

function loggerOf({ environment }: Config, n?: number, tracing?: Tracing): Promise<Logger> {
  return createLogger({
    level: environment.logLevel,
    levels: environment.logLevels,
    pretty: process.stdout.isTTY === true,
    trace: tracing?.isOn ? () => tracing.ids() : undefined,
    ...(n !== undefined && { process: n }),
  });
}

/** What traces are told to; the SDK is loaded where there is a collector, and nowhere else. */
async function tracingOf({ environment: { traces } }: Config): Promise<Tracing> {
  if (traces === null) return NO_TRACING;
  const { openTracing } = await import("./telemetry/otel.ts");
  const headers = () =>
    (traces.headers?.reveal() ?? "").split(",").flatMap((pair) => {
      const [name = "", ...value] = pair.split("=");
      return name.trim() === "" ? [] : [[name.trim(), decodeURIComponent(value.join("=").trim())]];
    });
  return openTracing({ ...traces, headers: () => Object.fromEntries(headers()), version: packageVersion() });
}

/** Options of the command line, as the variables that they win over. */
function overridesOf(options: ServeOptions): Record<string, string> {
  const { port, host, config, dataDir, role, processes } = options;
  const values = {
    PARLEY_PORT: port,
    PARLEY_HOST: host,
    PARLEY_CONFIG: config,
    PARLEY_DATA_DIR: dataDir,
    PARLEY_ROLE: role,
    PARLEY_PROCESSES: processes,
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

function listen(server: Server, port: number, host: string, variable = "PARLEY_PORT"): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const hint =
        error.code === "EADDRINUSE"
          ? `; something listens there already, choose another with ${variable}`
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
