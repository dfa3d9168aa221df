import { execFile, execFileSync } from "node:child_process";
import { chmodSync, cpSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { main } from "../../src/cli/index.ts";
import { FIXTURES } from "../aof/support.ts";
import { SECRET, startExample } from "../models/remote-server.ts";
import { launch } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { startOnFreePort } from "../support/redis.ts";
import { toolPath } from "../support/tools.ts";
import { configFolder } from "./configuration.ts";
import { COMPILED_ENV, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { openPlatforms, SIGNING } from "./platforms.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";

/** Of programs that test/setup.mjs has fetched; where those of the machine are taken, it changes nothing. */
const LIBRARIES = join(ROOT, "node_modules/.cache/parley-tools/usr/lib/x86_64-linux-gnu");

const IN_SECRET = "whsec_aW5ib3VuZC1zZWNyZXQtb2YtdGVzdHM=";

const SPEC = `  limits: { user: off, conversation: off, tenant: off, global: off }
  routes: [{ agent: assistant }]
  notify: [{ platform: slack, tenant: T1, channel: C9, events: [event.dead] }]
  schedules: [{ name: morning, cron: "0 9 * * *", agent: assistant, to: { platform: slack, tenant: T1, channel: C1 }, text: hello }]
  inbound: [{ name: ci, secret: "${IN_SECRET}" }]
`;
const agent = (name: string) => `apiVersion: parley/v1
kind: Agent
metadata: { name: ${name} }
spec:
  model: { provider: demo }
  approvals: { expires_seconds: 3600 }
  tools: [{ name: clock, type: builtin, builtin: time }]
`;

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Somebody who reads the pages beside a gateway that has something to tell, and types what they say. */
export interface Reader extends AsyncDisposable {
  /** Where somebody stands who reads this page. */
  folderFor(page: string): string;
  /** The line in a real shell, with what is true here in place of the ids, addresses and ports of the page. */
  run(line: string, cwd: string): Promise<Ran>;
}

export async function openReader(): Promise<Reader> {
  const platforms = await openPlatforms();
  platforms.slack.apps.manifests.set("A1", {});
  const config = configFolder(SPEC, agent("assistant"));
  writeFileSync(join(config, "agents/ops.yaml"), agent("ops"));
  const dataDir = temporaryFolder();
  const gateway = await startGateway({
    dataDir,
    config,
    env: { ...platforms.env, PARLEY_ADMIN_TOKEN: TOKEN },
  });
  const redis = await aRedis();
  const example = await startExample("TypeScript");
  const parley = await parleyServer();
  const bin = programs(parley.url, redis.port);
  const env = {
    ...COMPILED_ENV,
    ...platforms.env,
    PATH: `${bin}:${process.env.PATH}`,
    PARLEY_URL: gateway.url,
    PARLEY_ADMIN_TOKEN: TOKEN,
    PARLEY_DATA_DIR: dataDir,
    DISCORD_PRIVATE_SEED: SIGNING.discord,
    CI_WEBHOOK_SECRET: IN_SECRET,
    PARLEY_IN_SECRET: IN_SECRET,
    AGENT_SECRET: SECRET,
    SLACK_CONFIG_TOKEN: platforms.slack.apps.token,
    SLACK_APP_ID: "A1",
    PARLEY_PUBLIC_URL: "https://bot.example.com",
  };

  async function api<T>(path: string): Promise<T> {
    const response = await fetch(`${gateway.url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return (await response.json()) as T;
  }
  const first = async (path: string, list: string): Promise<string> =>
    await eventually(async () => {
      const [one] = (await api<Record<string, { id: string }[]>>(path))[list] ?? [];
      if (one === undefined) throw new Error(`Expected something at ${path}, got nothing`);
      return one.id;
    }, 30_000);
  const dead = () => first("/dead", "letters");
  const places: readonly (readonly [RegExp, () => string | Promise<string>])[] = [
    [/<id>|slack:T1:C1:1717171717\.0001|telegram:77:4711/g, dead],
    [/apr_1k7q8m2v0a1b2c3d4e5f_1/g, () => first("/approvals?state=waiting", "approvals")],
    [/req_1f9k3v2q8m0a1b2c3d4e/g, () => requestId],
    [/slack:T024BE7LD:C061EG9SL:1717\.0001/g, () => first("/events?platform=slack", "events")],
    [/slack:T024BE7LD:C061EG9SL(?= )/g, () => "slack:T1:C1"],
    [/slack:T024BE7LD:C0LAN2Q65:1717171717\.000100/g, () => first("/conversations", "conversations")],
    [/<platform>/g, () => "test"],
    [/whsec_…/g, () => SECRET],
    [/http:\/\/127\.0\.0\.1:8090\//g, () => example.url],
    [/http:\/\/127\.0\.0\.1:8080/g, () => gateway.url],
    [/redis:\/\/127\.0\.0\.1:6379/g, () => `redis://127.0.0.1:${redis.port}`],
    [/node bin\/parley\.js/g, () => "parley"],
  ];

  async function run(line: string, cwd: string): Promise<Ran> {
    let here = line;
    for (const [pattern, place] of places)
      if (here.search(pattern) >= 0) here = here.replaceAll(pattern, await place());
    return await new Promise((done) => {
      // With a socket for stdin and nothing of our environment, bash would read somebody's .bashrc.
      execFile("bash", ["--norc", "-c", `set -o pipefail; ${here}`], { cwd, env }, (error, stdout, stderr) =>
        done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }

  const said = await run("parley send slack --text hello --user U061F7AUR --wait 30 --json", dataDir);
  const requestId = (JSON.parse(said.stdout) as { request_id: string }).request_id;
  for (const channel of ["C21", "C22", "C23", "C24"])
    await run(`parley send slack --channel ${channel} --text 'demo: dead'`, dataDir);
  for (const channel of ["C31", "C32"])
    await run(`parley send slack --channel ${channel} --text 'demo: ask Deploy?'`, dataDir);

  return {
    folderFor(page) {
      const folder = temporaryFolder();
      execFileSync("git", ["init", "-q"], { cwd: folder });
      writeFileSync(join(folder, "lease.txt"), "new\n");
      execFileSync("git", ["add", "-N", "lease.txt"], { cwd: folder });
      if (page.endsWith("coming-from-aof.md"))
        cpSync(join(FIXTURES, "demo"), join(folder, "aof"), { recursive: true });
      else cpSync(config, join(folder, "config"), { recursive: true });
      return folder;
    },
    run,
    async [Symbol.asyncDispose]() {
      await Promise.all([gateway[Symbol.asyncDispose](), redis.child.end(), example.end()]);
      await parley.close();
      await platforms[Symbol.asyncDispose]();
    },
  };
}

/** One that has a file to write its settings to. */
async function aRedis() {
  const folder = temporaryFolder();
  const file = join(folder, "redis.conf");
  writeFileSync(file, `bind 127.0.0.1\ndir ${folder}\n`);
  return await startOnFreePort(
    (port) => [toolPath("redis-server"), file, "--port", String(port)],
    "Ready to accept",
  );
}

/** A folder for PATH: `parley` asks this process, and `redis-cli` knows where Redis is and fails where that refuses. */
function programs(url: string, redisPort: number): string {
  const bin = temporaryFolder();
  const program = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/usr/bin/env bash\n${text}`);
    chmodSync(join(bin, name), 0o755);
  };
  program(
    "redis-cli",
    `LD_LIBRARY_PATH=${LIBRARIES} exec ${toolPath("redis-cli")} -e -p ${redisPort} "$@"\n`,
  );
  // What reads stdin is a process of its own.
  program(
    "parley",
    `[[ " $* " == *" - "* ]] && exec "${process.execPath}" "${ROOT}/bin/parley.js" "$@"
answer=$(jq -nc '{env: $ENV, cwd: $ENV.PWD, args: $ARGS.positional}' --args -- "$@" | curl -sS --data-binary @- ${url}) || exit 99
jq -j .stdout <<<"$answer"
jq -j .stderr <<<"$answer" >&2
exit "$(jq .code <<<"$answer")"
`,
  );
  return bin;
}

interface Called {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Commands run in this process, which is faster than one process for each. */
async function parleyServer() {
  const server = createServer((request, response) => {
    textOf(request)
      .then((body) => JSON.parse(body) as Called)
      .then((called) => (called.args[0] === "serve" ? serve(called) : command(called)))
      .then(
        (ran) => response.end(JSON.stringify(ran)),
        (error: unknown) => response.end(JSON.stringify({ code: 98, stdout: "", stderr: String(error) })),
      );
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((done) => server.close(done)),
  };
}

/** Answers yes, and presses Ctrl-C once something is followed. */
async function command({ args, env, cwd }: Called): Promise<Ran> {
  const ctrlC = new AbortController();
  let stdout = "";
  let stderr = "";
  const code = await main(args, {
    out: (text) => {
      stdout += text;
    },
    talk: (text) => {
      stderr += text;
      if (text.startsWith("Following") || text.includes("Ctrl-C ends it")) ctrlC.abort("interrupted");
    },
    ...{ env, cwd, confirm: async () => true, interrupted: () => ctrlC.signal },
  });
  return { code, stdout, stderr };
}

/** A gateway that comes up, on a free port, and is told to end. */
async function serve({ args, env, cwd }: Called): Promise<Ran> {
  const at = args.indexOf("--port");
  const given = at < 0 ? args : args.toSpliced(at, 2);
  const own = env.REDIS_URL === undefined ? { PARLEY_DATA_DIR: join(cwd, "data") } : {};
  const child = launch([process.execPath, join(ROOT, "bin/parley.js"), ...given], {
    cwd,
    env: { ...env, ...own, PARLEY_PORT: "0" },
  });
  await Promise.race([child.said("stderr", "listens on"), child.ended]);
  child.signal("SIGTERM");
  const ending = await child.ended;
  return { code: typeof ending === "number" ? ending : 97, ...child.output };
}
