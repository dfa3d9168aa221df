import { basename, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Argument, type Command } from "commander";
import type { RedisPlace } from "../backup/restore.ts";
import { configurationAt } from "../config/files.ts";
import type { Config } from "../config/load.ts";
import type { Deed } from "../domain/audit.ts";
import { EXIT } from "../shared/exit.ts";
import { systemClock } from "../system/clock.ts";
import { createNewId } from "../system/ids.ts";
import { ask, httpBase } from "./ask.ts";
import { failing, invalid, redisSource, runShell, tell } from "./backup.ts";
import { operator } from "./client.ts";
import { load } from "./config.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly config?: string;
  readonly withConfiguration?: true;
  readonly runUnfinished?: true;
  readonly redis: boolean;
  readonly redisServer: string;
  readonly start?: string;
  readonly wait?: string;
  readonly yes?: true;
  readonly json?: true;
}

export function addRestore(program: Command, terminal: Terminal): void {
  program
    .command("restore")
    .addArgument(new Argument("<archive>", "its folder"))
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--with-configuration", "the configuration, too; without this it stays as it is")
    .option("--run-unfinished", "run what waited at the backup; without this it becomes dead letters")
    .option("--no-redis", "without the snapshot of Redis")
    .option("--redis-server <program>", "which loads the snapshot of Redis first", "redis-server")
    .option("--start <command>", "then run this in a shell, which starts the gateway and comes back")
    .option(
      "--wait <seconds>",
      "wait for the gateway to be ready (default: 150 with --start, else not at all)",
    )
    .option("--url <url>", "where the gateway is (default: PARLEY_URL, or this machine)")
    .option("-y, --yes", "do not ask")
    .option("--json", "print what was done as JSON")
    .addHelpText("after", HELP)
    .action(async (archive: string, options: Options) => await run(terminal, archive, options));
}

const HELP = `
The archive is checked before anything is touched, and the gateway has to be stopped. What was there is kept in
before-restore-TIME in the data folder. --with-configuration also brings back one that is gone or broken. A snapshot of Redis is put into a Redis that has nothing of Parley yet: with keys of
its prefix, or a gateway connected to it, it is left alone. What waited or ran at the backup may have been answered since: it becomes dead letters
(parley dead list), for you to replay or drop.

Examples:
  parley restore /var/backups/parley/parley-20260301T020000000Z
  parley restore /var/backups/parley/parley-20260301T020000000Z --start 'systemctl start parley'`;

const WAIT_SECONDS = 150;
const LOOK_MS = 1_000;
const TIMEOUT_MS = 5_000;

async function run(terminal: Terminal, archive: string, options: Options): Promise<void> {
  const waitSeconds = secondsOf(options);
  const { config, configFolder } = placeOf(terminal, resolve(terminal.cwd, archive), options);
  const { environment } = config;
  await agree(environment.dataDir, archive, options, terminal);
  const url = httpBase(
    options.url === undefined ? "PARLEY_URL" : "--url",
    options.url ?? terminal.env.PARLEY_URL ?? `http://127.0.0.1:${environment.port}`,
  );
  const [{ restore }, { mediaFolderOf }] = await Promise.all([
    import("../backup/restore.ts"),
    import("../app/media.ts"),
  ]);
  const restored = await failing(
    restore({
      archive: resolve(terminal.cwd, archive),
      dataDir: environment.dataDir,
      mediaDir: mediaFolderOf(config, terminal.cwd),
      configFolder: options.withConfiguration ? configFolder : null,
      runsUnfinished: options.runUnfinished === true,
      redis: await redisPlace(config, options),
      nowMs: systemClock.nowMs(),
      note: { id: createNewId(systemClock)("aud"), deed: deedOf(terminal, archive) },
    }),
  );
  const { manifest, before, setAside, redisKeys } = restored;
  if (redisKeys !== null)
    await tell(config, terminal, "store.restored", { archive: basename(archive), keys: redisKeys });
  if (options.json)
    terminal.out(
      `${inert(JSON.stringify({ restored: archive, before, set_aside: setAside, redis_keys: redisKeys, manifest }, null, 2))}\n`,
    );
  else {
    terminal.out(`Restored ${inert(archive)}, made ${manifest.created_at}\n`);
    if (before !== null) terminal.talk(`What was there is in ${inert(before)}\n`);
    if (redisKeys !== null) terminal.talk(`${redisKeys} keys were put back into Redis\n`);
    else if (manifest.redis_keys !== null)
      terminal.talk(
        "Its snapshot of Redis was not put back: there is no REDIS_URL, or --no-redis was given\n",
      );
    if (setAside > 0)
      terminal.talk(
        `${setAside} events waited then, and may have been answered since: they are dead letters (parley dead list)\n`,
      );
  }
  if (options.start !== undefined) {
    const code = await runShell(options.start, terminal.env, terminal);
    if (code !== 0) throw new CommandError(EXIT.failed, `expected --start to end with 0, got ${code}`);
  }
  if (waitSeconds > 0) await waitUntilReady(url, waitSeconds, terminal);
}

/** Where nobody can be asked it goes on all the same: what was there is kept. */
async function agree(
  dataDir: string,
  archive: string,
  { yes }: Options,
  { confirm }: Terminal,
): Promise<void> {
  if (yes || confirm === undefined) return;
  const question = `Put ${printable(archive)} in the place of what is in ${printable(dataDir)}? That is kept beside it.`;
  if (!(await confirm(question))) throw new CommandError(EXIT.failed, "nothing was restored");
}

/**
 * Where everything goes, as the configuration says. Where that is wanted back, and what is there is gone or broken, as the
 * archive's says.
 */
function placeOf(
  terminal: Terminal,
  archive: string,
  { config: given, withConfiguration }: Options,
): { readonly config: Config; readonly configFolder: string } {
  const loaded = load(terminal, given);
  if (loaded.ok) return { config: loaded.config, configFolder: loaded.config.environment.configFolder };
  const archived = withConfiguration ? load(terminal, join(archive, "config")) : loaded;
  if (!archived.ok) throw invalid(loaded.problems);
  const { PARLEY_CONFIG, AOF_CONFIG_PATH } = terminal.env;
  const path = resolve(terminal.cwd, given ?? (PARLEY_CONFIG || AOF_CONFIG_PATH || "config"));
  return { config: archived.config, configFolder: configurationAt(path) };
}

async function redisPlace(config: Config, options: Options): Promise<RedisPlace | null> {
  if (config.environment.redisUrl === null || !options.redis) return null;
  const { refuseUsedRedis, restoreRedis } = await import("../backup/redis-restore.ts");
  const target = async () => ({
    ...(await redisSource(config)),
    prefix: config.gateway.store.redis.prefix,
  });
  return {
    refuseUsed: async () => await refuseUsedRedis(await target()),
    restore: async (file) =>
      await restoreRedis(file, options.redisServer, await target(), options.runUnfinished === true),
  };
}

function deedOf(terminal: Terminal, archive: string): Deed {
  return {
    ...{ atMs: systemClock.nowMs(), actor: operator(terminal), role: "operator" },
    ...{ action: "store.restored", subject: basename(archive) },
  };
}

function secondsOf({ wait, start }: Options): number {
  if (wait === undefined) return start === undefined ? 0 : WAIT_SECONDS;
  if (/^\d{1,5}$/.test(wait)) return Number(wait);
  throw new CommandError(
    EXIT.usage,
    `expected --wait to be a whole number of seconds, got ${printable(wait)}`,
  );
}

async function waitUntilReady(url: string, seconds: number, terminal: Terminal): Promise<void> {
  const untilMs = performance.now() + seconds * 1000;
  for (let last = "nothing"; ; ) {
    const asked = await ask(`${url}/ready`, { method: "GET" }, TIMEOUT_MS);
    if (asked.kind === "answered" && asked.status === 200) {
      terminal.talk(`${url} is ready\n`);
      return;
    }
    last = asked.kind === "answered" ? String(asked.status) : asked.code;
    if (performance.now() >= untilMs)
      throw new CommandError(
        EXIT.failed,
        `expected ${url}/ready to answer 200 within ${seconds} s, got ${printable(last)}; the archive is in place`,
      );
    await pause(LOOK_MS);
  }
}
