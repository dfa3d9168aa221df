import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { freePort } from "../support/ports.ts";
import { startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { COMPILED_ENV, ROOT, temporaryFolder } from "./gateway-process.ts";
import { runScript } from "./run-script.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
const OURS = `await import(${JSON.stringify(pathToFileURL(join(ROOT, "bin/parley.js")).href)});\n`;
/** It can do all but serve. */
const BROKEN = `if (process.argv[2] === "serve") process.exit(1);\n${OURS}`;
/** It brings the database to where the version before cannot follow, and does not come up. */
const SPOILING = `if (process.argv[2] === "serve") {
  const { DatabaseSync } = await import("node:sqlite");
  new DatabaseSync(process.env.PARLEY_DATA_DIR + "/parley.db").exec("PRAGMA user_version = 9999");
  process.exit(1);
}
${OURS}`;

/** A host with the gateway that runs, started and stopped as a service is. */
async function aHost(more: Readonly<Record<string, string>> = {}) {
  const root = mkdtempSync(join(tmpdir(), "parley-host-"));
  const [program, archives, data] = ["parley", "archives", "data"].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const url = `http://127.0.0.1:${await freePort()}`;
  const env: Record<string, string> = {
    ...(COMPILED_ENV as Readonly<Record<string, string>>),
    ...{ PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_CONFIG: configFolder(NO_LIMITS), PARLEY_DATA_DIR: data },
    ...{ PARLEY_URL: url, PARLEY_PORT: new URL(url).port, ...more },
  };
  const pid = join(root, "pid");
  const log = join(root, "log");
  const start = `cd ${program} && { node bin/parley.js serve >>${log} 2>&1 & echo $! >${pid}; }`;
  const stop = `kill $(cat ${pid}) 2>/dev/null; tail --pid=$(cat ${pid}) -f /dev/null`;
  const sh = (command: string) => execFileSync("sh", ["-c", command], { env, stdio: "ignore" });
  const release = (folder: string, serves: string) => {
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(join(folder, "bin/parley.js"), serves);
    writeFileSync(join(folder, "package.json"), JSON.stringify({ version, type: "module", serves }));
  };
  release(program, OURS);
  onTestFinished(() => {
    sh(stop);
  });
  sh(start);
  // The first look of the script finds one that listens.
  execFileSync("curl", ["-s", "--retry", "60", "--retry-connrefused", "--retry-delay", "1", `${url}/ready`]);

  return {
    ...{ program, archives, data, url },
    /** The package of a version. */
    pack(serves: string): string {
      const folder = temporaryFolder();
      release(folder, serves);
      const file = join(root, `${createHash("sha256").update(serves).digest("hex").slice(0, 8)}.tar.gz`);
      execFileSync("tar", ["-czf", file, "-C", folder, "bin", "package.json"]);
      const digest = createHash("sha256").update(readFileSync(file)).digest("hex");
      writeFileSync(`${file}.sha256`, `${digest}  ${file}\n`);
      return file;
    },
    upgrade: (file: string, ...args: readonly string[]) =>
      runScript(
        "upgrade",
        [
          ...["--package", file, "--archives", archives, "--program", program],
          ...["--start", start, "--stop", stop, "--wait", "30", ...args],
        ],
        env,
      ),
    releases: () => readdirSync(`${program}-releases`).filter((name) => !name.startsWith(".")),
  };
}

const says = async (url: string, message: string) =>
  (await ask(url, { message, conversation: "c", wait: 20 })).reply;

it("a new version takes the place of the old one, which stays beside it; of older ones none does", {
  timeout: 180_000,
}, async () => {
  const host = await aHost();
  expect(await says(host.url, "before")).toBe("You said: before");
  const second = host.pack(`// second\n${OURS}`);

  const wrong = await host.upgrade(second, "--sha256", "0".repeat(64));
  expect(wrong).toEqual({ code: 1, said: expect.stringContaining("nothing was changed") });
  const dry = await host.upgrade(second, "--dry-run");
  expect(dry).toEqual({ code: 0, said: expect.stringContaining("nothing was changed") });
  expect(readdirSync(join(host.program, ".."))).not.toContain("parley-releases");

  const upgraded = await host.upgrade(second);
  expect(upgraded).toEqual({
    code: 0,
    said: expect.stringContaining(`ok      ${version} runs; the way back`),
  });
  expect(await says(host.url, "after")).toBe("You said: after");
  const runs = readlinkSync(host.program);
  expect(host.releases()).toHaveLength(2);

  const again = await host.upgrade(host.pack(`// third\n${OURS}`));
  expect(again).toEqual({ code: 0, said: expect.stringContaining(`removed ${host.program}-releases/`) });
  expect(host.releases()).toHaveLength(2);
  expect(host.releases()).toContain(runs.split("/").at(-1));
});

it.each([
  ["does not come up", BROKEN, "runs again, with all that was accepted since"],
  ["has made of the database what the old one refuses", SPOILING, "runs again, with the files from before"],
])("where the new version %s, the old one runs again", { timeout: 180_000 }, async (_, serves, words) => {
  const host = await aHost();
  expect(await says(host.url, "before")).toBe("You said: before");
  const { code, said } = await host.upgrade(host.pack(serves), "--wait", "8");
  expect([code, said]).toEqual([1, expect.stringContaining(words)]);
  expect(await says(host.url, "after")).toBe("You said: after");
  expect(readFileSync(join(host.program, "bin/parley.js"), "utf8")).toBe(OURS);
});

it("with Redis, the way back finds there what was said before", {
  timeout: 180_000,
}, async () => {
  const redis = await startRedis();
  // After the gateway, which is ended by then: it would wait for its Redis.
  onTestFinished(() => redis[Symbol.asyncDispose]());
  const host = await aHost({ REDIS_URL: redis.url });
  expect(await says(host.url, "before")).toBe("You said: before");
  const back = await host.upgrade(host.pack(BROKEN), "--wait", "8");
  expect(back).toEqual({ code: 1, said: expect.stringContaining("with all that was accepted since") });
  const { reply } = await ask(host.url, { message: "demo: prompt", conversation: "c", wait: 20 });
  expect(reply).toContain("before");
  // The backup from before has what Redis held; the copy for the way back leaves it as it is.
  const manifests = readdirSync(host.archives).map(
    (name) =>
      JSON.parse(readFileSync(join(host.archives, name, "manifest.json"), "utf8")) as { files: object },
  );
  const withRedis = manifests.filter(({ files }) => JSON.stringify(files).includes("redis/dump.rdb"));
  expect([manifests.length, withRedis.length]).toEqual([2, 1]);
});
