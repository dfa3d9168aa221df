import { spawn } from "node:child_process";
import { basename, join, resolve } from "node:path";
import { Argument, type Command } from "commander";
import type { Manifest } from "../backup/manifest.ts";
import type { RedisPlace } from "../backup/redis-place.ts";
import type { RunningGateway } from "../backup/take.ts";
import type { Config } from "../config/load.ts";
import { formatProblem, type Problem } from "../config/problems.ts";
import { EXIT } from "../shared/exit.ts";
import { messageOf } from "../shared/fault.ts";
import { DAY_MS } from "../shared/time.ts";
import { systemClock } from "../system/clock.ts";
import { packageVersion } from "../system/version.ts";
import { type Client, createClient, Refused, withUrl } from "./client.ts";
import { load } from "./config.ts";
import { inert, printable } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

interface Options {
  readonly url?: string;
  readonly config?: string;
  readonly to: string;
  readonly keepDays?: string;
  readonly hook?: string;
  readonly configOnly?: true;
  readonly media: boolean;
  readonly redis: boolean;
  readonly redisServer: string;
  readonly json?: true;
}

export function addBackup(program: Command, terminal: Terminal): void {
  const group = program.command("backup");
  withUrl(group.command("create", { isDefault: true }).description("make an archive, and read it back"))
    .requiredOption("--to <folder>", "where archives are kept; made where there is none")
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--config-only", "the configuration alone")
    .option("--no-media", "without the files of messages")
    .option("--no-redis", "without what Redis holds")
    .option("--redis-server <program>", "with which a snapshot of Redis is proven readable", "redis-server")
    .option("--keep-days <days>", "then remove older ones of the kind (default: none is removed)")
    .option(
      "--hook <command>",
      "then run this in a shell, with the folder in PARLEY_BACKUP; before any is removed",
    )
    .option("--json", "print what was made as JSON")
    .addHelpText("after", HELP)
    .action(async (options: Options) => await create(terminal, options));
  group
    .command("verify")
    .description("read an archive: every file as it was written, every database whole")
    .addArgument(new Argument("<archive>", "its folder"))
    .addHelpText("after", "\nExample:\n  parley backup verify /var/backups/parley/parley-20260301T020000000Z")
    .action(async (archive: string) => {
      const { verifyArchive } = await import("../backup/verify.ts");
      const manifest = await failing(verifyArchive(resolve(terminal.cwd, archive)));
      terminal.out(`${inert(archive)} is whole: ${contents(manifest)}\n`);
    });
}

const HELP = `
Beside a running gateway it needs PARLEY_ADMIN_TOKEN, or PARLEY_ADMIN_TOKEN_FILE, and has to run where the gateway runs, as
its user. Without one it copies what is there. Secrets are in no archive: keep them apart.

Examples:
  parley backup --to /var/backups/parley --keep-days 30
  parley backup --to /var/backups/parley --config-only --keep-days 7
  parley backup --to /var/backups/parley --hook 'aws s3 cp --recursive "$PARLEY_BACKUP" "s3://bucket/$PARLEY_BACKUP_NAME"'
  parley backup verify /var/backups/parley/parley-20260301T020000000Z`;

async function create(terminal: Terminal, options: Options): Promise<void> {
  const keepMs = daysOf(options.keepDays);
  const config = configOf(terminal, options.config);
  const to = resolve(terminal.cwd, options.to);
  const nowMs = systemClock.nowMs();
  const [{ takeBackup }, { mediaFolderOf }] = await Promise.all([
    import("../backup/take.ts"),
    import("../app/media.ts"),
  ]);
  const { environment, gateway } = config;
  const isShared = environment.redisUrl !== null;
  const hasMediaFolder = !isShared || gateway.media.dir !== undefined;
  const kind = options.configOnly ? "configuration" : "full";
  const { archive, manifest } = await failing(
    takeBackup({
      ...{ kind, to, nowMs, dataDir: environment.dataDir, configFolder: environment.configFolder },
      mediaDir: options.media && hasMediaFolder ? mediaFolderOf(config, terminal.cwd) : null,
      takeRedis: isShared && options.redis ? await redisTaker(config, options.redisServer) : null,
      store: isShared ? "redis" : "sqlite",
      running: runningGateway(() => createClient(terminal, options)),
      version: packageVersion(),
    }),
  );
  // Of a database the gateway says so itself.
  if (manifest.redis_keys !== null)
    await tell(config, terminal, "backup.taken", {
      archive: basename(archive),
      keys: manifest.redis_keys,
    });
  if (options.hook !== undefined) await runHook(options.hook, archive, terminal);
  let removed: string[] = [];
  if (keepMs !== null) {
    const { removeOld } = await import("../backup/retention.ts");
    removed = await removeOld(to, kind, { keepMs, nowMs });
  }
  if (options.json) {
    const made = await madeOf(archive, manifest);
    terminal.out(`${inert(JSON.stringify({ ...made, removed, manifest }, null, 2))}\n`);
    return;
  }
  terminal.out(`${inert(archive)}\n`);
  terminal.talk(`It is whole: ${contents(manifest)}\n`);
  for (const one of manifest.left_out) terminal.talk(`left out: ${printable(one)}\n`);
  for (const name of removed) terminal.talk(`removed: ${name}\n`);
}

/** The digest is that of the manifest, which has those of all files. */
async function madeOf(archive: string, { files, events, created_at }: Manifest) {
  const { digestOf, MANIFEST } = await import("../backup/manifest.ts");
  const { sha256 } = await digestOf(join(archive, MANIFEST));
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { path: archive, sha256, bytes, events: events?.total ?? null, taken_at: created_at };
}

async function redisTaker(config: Config, server: string): Promise<(to: string) => Promise<number>> {
  const [{ takeSnapshot }, { proveSnapshot }] = await Promise.all([
    import("../backup/redis-snapshot.ts"),
    import("../backup/redis-proof.ts"),
  ]);
  const source = await redisSource(config);
  return async (to) => {
    await takeSnapshot(source, to);
    return await proveSnapshot(to, server);
  };
}

/** The server that has our keys now: of a Cluster the master of their slot, behind Sentinels the one that they name. */
export async function redisSource(config: Config): Promise<RedisPlace> {
  const { redisConnection } = await import("../app/store.ts");
  const { url, cluster, sentinel, tls } = redisConnection(config);
  const options = tls && {
    ...(tls.ca !== null && { ca: tls.ca }),
    ...(tls.cert !== null && { cert: tls.cert }),
    ...(tls.key !== null && { key: tls.key }),
    ...(tls.servername !== null && { servername: tls.servername }),
    rejectUnauthorized: tls.verify,
  };
  const source = { url: new URL(url.reveal()), tls: options };
  const { placeBehindSentinels, placeInCluster } = await import("../backup/redis-place.ts");
  if (cluster) return await placeInCluster(source, config.gateway.store.redis.prefix);
  if (sentinel === null) return source;
  const password = sentinel.password?.reveal() ?? null;
  return await placeBehindSentinels(source, { ...sentinel, password });
}

/** What was done is done, also where the audit cannot be told of it. */
export async function tell(config: Config, terminal: Terminal, action: string, after: object): Promise<void> {
  const { tellShared } = await import("./keeper.ts");
  try {
    await tellShared(config, terminal, { action, subject: "store", after });
  } catch (error) {
    terminal.talk(`It is not in the audit: ${printable(messageOf(error))}\n`);
  }
}

function contents({ files, events, redis_keys, created_at, version }: Manifest): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const counted =
    events === null
      ? ""
      : `, ${events.total} events (${events.waiting} waiting, ${events.dead} dead letters)`;
  const keys = redis_keys === null ? "" : `, ${redis_keys} keys of Redis`;
  return `${files.length} files of ${bytes} bytes${counted}${keys}; made ${created_at} by Parley ${printable(version)}`;
}

/** Loaded as the gateway does: what it keeps is where its configuration says. */
export function configOf(terminal: Terminal, folder: string | undefined): Config {
  const loaded = load(terminal, folder);
  if (loaded.ok) return loaded.config;
  throw invalid(loaded.problems);
}

export function invalid(problems: readonly Problem[]): CommandError {
  return new CommandError(EXIT.config, problems.map(formatProblem).join("\n"));
}

/** What is wrong with an archive, or with the place that it is for, is the person's to mend. */
export async function failing<T>(work: Promise<T>): Promise<T> {
  const { ArchiveError, InUse } = await import("../backup/manifest.ts");
  try {
    return await work;
  } catch (error) {
    if (error instanceof InUse) throw new CommandError(EXIT.unreachable, error.message);
    if (error instanceof ArchiveError) throw new CommandError(EXIT.failed, error.message);
    throw error;
  }
}

function daysOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days >= 1) return days * DAY_MS;
  throw new CommandError(
    EXIT.usage,
    `expected --keep-days to be a whole number from 1, got ${printable(text)}`,
  );
}

/** Asked for a token only where a gateway runs. */
function runningGateway(open: () => Client): RunningGateway {
  let client: Client | undefined;
  let id = "";
  const ask = async <T>(method: string, path: string): Promise<T> => {
    client ??= open();
    return await client.json<T>(path, { method });
  };
  const begin = async (query: string) => {
    const held = await ask<{ id: string; path: string; bytes: number; identity: string }>(
      "POST",
      `/backup${query}`,
    );
    id = held.id;
    return held;
  };
  const told = async (method: string) =>
    (await ask<{ still: boolean }>(method, `/backup/${encodeURIComponent(id)}`)).still;
  return {
    async hold(identity) {
      try {
        return await begin(`?file=${identity}`);
      } catch (error) {
        // None of its processes has it, or it is one of before there was `file`: it says which file it has, or why not.
        if (error instanceof Refused && (error.status === 404 || error.status === 400))
          return await begin("");
        throw error;
      }
    },
    extend: async () => await told("PUT"),
    release: async () => await told("DELETE"),
  };
}

async function runHook(command: string, archive: string, terminal: Terminal): Promise<void> {
  const name = archive.slice(archive.lastIndexOf("/") + 1);
  const env = { ...terminal.env, PARLEY_BACKUP: archive, PARLEY_BACKUP_NAME: name };
  const code = await runShell(command, env, terminal);
  if (code === 0) return;
  throw new CommandError(
    EXIT.failed,
    `expected the hook to end with 0, got ${code}; ${archive} is whole, and none was removed`,
  );
}

/** What it says is said; the exit code, or the signal that ended it. */
export async function runShell(
  command: string,
  env: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<number | string> {
  const child = spawn("sh", ["-c", command], { env, cwd: terminal.cwd, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => terminal.talk(inert(text)));
  return await new Promise((resolved, rejected) => {
    child.once("error", rejected);
    child.once("close", (code, signal) => resolved(code ?? signal ?? 1));
  });
}
