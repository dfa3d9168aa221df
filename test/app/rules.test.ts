import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { RunControls } from "../../src/app/controls.ts";
import { KillSwitch } from "../../src/app/kill-switch.ts";
import { type OpenedRules, openRules } from "../../src/app/rules.ts";
import { type Loaded, loadConfig } from "../../src/config/load.ts";
import type { Deed } from "../../src/domain/audit.ts";
import { Seal } from "../../src/shared/seal.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { AGENT, folderWith } from "../config/helpers.ts";
import { FakeClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { countOf } from "../support/metrics.ts";

const LOOK_MS = 2_000;

const gateway = (spec: string) => `kind: Gateway\nspec: { routes: [{ agent: assistant }], ${spec} }\n`;
const OLDER = gateway("max_age_seconds: 10");
const NEWER = gateway("max_age_seconds: 20");
const WRONG = gateway("max_age_seconds: soon");

let clock: FakeClock;
let killSwitch: KillSwitch;
let folder: string;
let env: Record<string, string>;
let metrics: ReturnType<typeof createMetrics>;
let deeds: Omit<Deed, "atMs">[];
let lines: (readonly [msg: string, fields: Record<string, unknown>])[];

beforeEach(() => {
  clock = new FakeClock();
  metrics = createMetrics();
  lines = [];
  deeds = [];
  folder = folderWith({ "gateway.yaml": OLDER, "agents/assistant.yaml": AGENT });
  env = { PARLEY_CONFIG: folder };
});

const load = async (): Promise<Loaded> => loadConfig({ modules: MODULES, env, cwd: folder });

async function open(): Promise<OpenedRules> {
  const loaded = await load();
  if (!loaded.ok) throw new Error("Expected a configuration that loads");
  const write = (fields: object, msg: string) => lines.push([msg, fields as Record<string, unknown>]);
  const log = Object.assign(silentLogger(), { info: write, warn: write, error: write });
  killSwitch = new KillSwitch(metrics);
  const system = { clock, random: () => 0.5, log, metrics, version: "1" };
  const audit = { write: async (deed: Omit<Deed, "atMs">) => void deeds.push(deed) };
  return await openRules({ config: loaded.config, load, killSwitch, controls: controls(), audit, ...system });
}

const controls = () =>
  new RunControls({ log: silentLogger(), logLevel: "info", logLevels: {}, setLevels: () => {} });

/** As an editor does it: whole, under another name, then into the place. */
function edit(text: string, name = "gateway.yaml"): void {
  writeFileSync(join(folder, ".new"), text);
  renameSync(join(folder, ".new"), join(folder, name));
}

const maxAgeMs = ({ current }: OpenedRules) => current().policy.maxAgeMs;
const messages = () => lines.map(([msg]) => msg);
const count = (outcome: string) => countOf(metrics, "configReloads", { outcome });

describe("a configuration that is read again", () => {
  it("is in the audit, taken or refused, and nothing of what stands in it", async () => {
    const rules = await open();
    const { digest } = rules.current().config;
    edit(gateway("max_age_seconds: 20"));
    await rules.reload("signal");
    const now = rules.current().config.digest;
    edit(gateway("max_age_seconds: hunter2"));
    await rules.reload("signal");
    expect(deeds).toEqual([
      expect.objectContaining({
        ...{ actor: "gateway", role: "system", action: "configuration.reloaded", before: { digest } },
        after: { digest: now, why: "signal", host: expect.any(String) },
      }),
      expect.objectContaining({
        ...{ action: "configuration.refused", before: { digest: now } },
        after: { digest: now, problems: 1, why: "signal", host: expect.any(String) },
      }),
    ]);
  });

  it("holds from then on, as a whole, and whoever has the one before keeps it", async () => {
    const rules = await open();
    const before = rules.current();
    edit(`${gateway("max_age_seconds: 20, kill_switch: true").replace("agent: assistant", "agent: other")}`);
    edit(AGENT.replace("assistant", "other"), "agents/assistant.yaml");
    clock.advance(1_000);
    await rules.reload("signal");
    const now = rules.current();
    expect([now.policy.maxAgeMs, now.policy.isPaused(), [...now.agents.memory.keys()]]).toEqual([
      20_000,
      true,
      ["other"],
    ]);
    expect([before.policy.maxAgeMs, before.policy.isPaused(), [...before.agents.memory.keys()]]).toEqual([
      10_000,
      false,
      ["assistant"],
    ]);
    expect(killSwitch.isPaused()).toBe(true);
    expect(await countOf(metrics, "paused")).toBe(1);
    expect(lines).toEqual([
      [
        "configuration.reloaded",
        { why: "signal", digest: now.config.digest, changed: true, notes: now.config.notes },
      ],
    ]);
    expect(now.config.digest).not.toBe(before.config.digest);
    expect((await metrics.configInfo.get()).values).toEqual([
      expect.objectContaining({ labels: { digest: now.config.digest }, value: 1 }),
    ]);
    expect(await countOf(metrics, "configReadAt")).toBe(clock.nowMs() / 1000);
    expect(rules.report()).toEqual({
      status: "ok",
      details: `${now.config.digest}, read ${new Date(clock.nowMs()).toISOString()}`,
    });
  });

  it("changes nothing where it is wrong, in whatever file, and says what is", async () => {
    const rules = await open();
    const before = rules.current();
    edit(NEWER);
    edit("spec: { model: [] }\n", "agents/assistant.yaml");
    await rules.reload("signal");
    expect(rules.current()).toBe(before);
    const [[msg, fields] = ["", {}]] = lines;
    expect([msg, fields.why, fields.holds]).toEqual([
      "configuration.refused",
      "signal",
      before.config.digest,
    ]);
    expect(String(fields.problems)).toContain("agents/assistant.yaml:1:");
    expect(rules.report()).toMatchObject({
      status: "degraded",
      code: "CONFIG_INVALID",
      details: expect.stringContaining(`what holds is ${before.config.digest}`),
    });
    // Whoever asks again is told again, and whoever mends it is heard.
    await rules.reload("signal");
    expect(await count("refused")).toBe(2);
    edit(AGENT, "agents/assistant.yaml");
    await rules.reload("signal");
    expect(maxAgeMs(rules)).toBe(20_000);
    expect(rules.report().status).toBe("ok");
  });

  it("stays as it is where something breaks that nobody thought of", async () => {
    const rules = await open();
    edit(NEWER);
    const broken = await openRules({
      ...{
        config: rules.current().config,
        clock,
        random: () => 0.5,
        log: silentLogger(),
        metrics,
        version: "1",
        killSwitch,
        controls: controls(),
      },
      load: () => Promise.reject(new Error("out of handles")),
    });
    await broken.reload("signal");
    expect([maxAgeMs(broken), await count("failed")]).toEqual([10_000, 1]);
  });

  it("of which a part needs a start names that part, until it is taken back or started", async () => {
    const secret = join(folder, "secret");
    writeFileSync(secret, "redis://parley:password-of-redis@one.internal/1");
    env = { ...env, REDIS_URL_FILE: secret };
    const rules = await open();
    writeFileSync(secret, "redis://parley:password-of-redis@two.internal/1");
    edit(
      gateway(
        "max_age_seconds: 20, queue: { waiting: 7, concurrency: 3 }, store: { durability: process }, " +
          "platforms: { slack: { enabled: false, respond_to: all } }, retention: { refusals: 1, dead_seconds: 5 }",
      ),
    );
    await rules.reload("signal");
    expect(messages()).toEqual(["configuration.reloaded", "secrets.renewed", "configuration.needs_restart"]);
    expect(lines[2]?.[1]).toEqual({
      settings: [
        "store.durability",
        "queue.waiting",
        "platforms.slack.enabled",
        "retention.refusals",
        "REDIS_URL_FILE",
      ],
    });
    expect(JSON.stringify(lines)).not.toMatch(/password-of-redis|internal/);
    expect(maxAgeMs(rules)).toBe(20_000);
    expect(rules.report().details).toContain("a restart applies store.durability, ");
    edit(OLDER);
    writeFileSync(secret, "redis://parley:password-of-redis@one.internal/1");
    await rules.reload("signal");
    expect(messages().slice(3)).toEqual(["configuration.reloaded", "secrets.renewed"]);
  });

  it("lets whoever holds a secret have its new value, of all or of none", async () => {
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [OLD, NEW] = ["an-admin-token-of-some-length-old", "an-admin-token-of-some-length-new"];
    const [KEY, NEXT] = [Buffer.alloc(32, 1).toString("base64"), Buffer.alloc(32, 2).toString("base64")];
    env = {
      ...env,
      PARLEY_ADMIN_TOKEN_FILE: file("admin", OLD),
      PARLEY_ENCRYPTION_KEY_FILE: file("key", KEY),
      REDIS_URL_FILE: file("redis", "redis://parley:old@one.internal"),
      TOKEN_OF_TOOL_FILE: file("tool", "of-a-tool-1"),
    };
    const tool =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it stands so in the file.
      'tools: [{ name: deploy, type: command, command: /bin/true, effect: read, env: { TOKEN: "${TOKEN_OF_TOOL}" } }]';
    edit(
      AGENT.replace("spec: {", () => `spec: { ${tool},`),
      "agents/assistant.yaml",
    );
    const rules = await open();
    const running = rules.current().config;
    const { adminToken, seal, redisUrl } = running.environment;
    file("admin", `${NEW}\n${OLD}`);
    file("key", `${NEXT}\n${KEY}`);
    file("redis", "redis://parley:new@one.internal");
    file("tool", "");
    await rules.reload("signal");
    expect(messages()).toEqual(["configuration.refused"]);
    expect(adminToken?.live()).toEqual([OLD]);

    file("tool", "of-a-tool-2");
    await rules.reload("signal");
    expect(adminToken?.live()).toEqual([NEW, OLD]);
    expect(redisUrl?.reveal()).toBe("redis://parley:new@one.internal");
    expect(seal?.isCurrent(new Seal([Buffer.alloc(32, 2)]).seal("name", "text"))).toBe(true);
    expect(lines.slice(1)).toEqual([
      ["configuration.reloaded", expect.objectContaining({ changed: false })],
      [
        "secrets.renewed",
        { secrets: ["PARLEY_ADMIN_TOKEN", "PARLEY_ENCRYPTION_KEY", "REDIS_URL", "TOKEN_OF_TOOL"] },
      ],
    ]);
    const [deploy] = rules.current().config.agents.get("assistant")?.tools ?? [];
    if (deploy?.type !== "command") throw new Error("Expected the tool to be there");
    expect((deploy.env.TOKEN as Secret).reveal()).toBe("of-a-tool-2");
  });

  it("is read once after the other when several ask at once", async () => {
    const rules = await open();
    edit(NEWER);
    await Promise.all([rules.reload("signal"), rules.reload("file"), rules.reload("signal")]);
    expect([await count("reloaded"), await count("unchanged")]).toEqual([1, 1]);
  });
});

describe("files that change while somebody looks", () => {
  async function watched(): Promise<OpenedRules> {
    const rules = await open();
    const stopping = new AbortController();
    onTestFinished(() => stopping.abort("over"));
    void rules.watch(stopping.signal);
    await asleep();
    return rules;
  }

  const asleep = () => eventually(async () => expect(clock.sleeping).toBe(1), 10_000);

  async function look(times = 1): Promise<void> {
    for (let n = 0; n < times; n++) {
      clock.advance(LOOK_MS);
      await asleep();
    }
  }

  it("are those of secrets as well", async () => {
    const secret = join(folder, "admin");
    writeFileSync(secret, "an-admin-token-of-some-length-old");
    env = { ...env, PARLEY_ADMIN_TOKEN_FILE: secret };
    const rules = await watched();
    const { adminToken } = rules.current().config.environment;
    writeFileSync(secret, "an-admin-token-of-some-length-anew");
    await look(2);
    await eventually(
      async () => expect(adminToken?.reveal()).toBe("an-admin-token-of-some-length-anew"),
      10_000,
    );
  });

  it.each<[string, () => void]>([
    ["written over", () => writeFileSync(join(folder, "gateway.yaml"), NEWER)],
    ["renamed into its place", () => edit(NEWER)],
    [
      "deleted and made again under its other name",
      () => {
        rmSync(join(folder, "gateway.yaml"));
        writeFileSync(join(folder, "gateway.yml"), NEWER);
      },
    ],
  ])("are read at the second look that finds the same (%s)", async (_, change) => {
    const rules = await watched();
    change();
    await look();
    expect(maxAgeMs(rules)).toBe(10_000);
    await look();
    expect(maxAgeMs(rules)).toBe(20_000);
    await look(3);
    expect(messages()).toEqual(["configuration.reloaded"]);
  });

  it("are read when a ConfigMap is swapped, which changes one link", async () => {
    const mount = (version: string, text: string) => {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "gateway.yaml"), text);
    };
    mount("..1", OLDER);
    mount("..2", NEWER);
    symlinkSync("..1", join(folder, "..data"));
    rmSync(join(folder, "gateway.yaml"));
    symlinkSync("..data/gateway.yaml", join(folder, "gateway.yaml"));
    const rules = await watched();
    symlinkSync("..2", join(folder, "..tmp"));
    renameSync(join(folder, "..tmp"), join(folder, "..data"));
    await look(2);
    expect(maxAgeMs(rules)).toBe(20_000);
  });

  it("are left alone as long as somebody writes, and half of one is no error", async () => {
    const rules = await watched();
    for (let n = 1; n < 6; n++) {
      writeFileSync(join(folder, "gateway.yaml"), NEWER.slice(0, 10 * n));
      await look();
    }
    expect(lines).toEqual([]);
    writeFileSync(join(folder, "gateway.yaml"), NEWER);
    await look(2);
    expect([maxAgeMs(rules), messages()]).toEqual([20_000, ["configuration.reloaded"]]);
  });

  it("are told of once when they are wrong, however often they are touched", async () => {
    const rules = await watched();
    edit(WRONG);
    await look(2);
    for (let n = 1; n < 4; n++) {
      utimesSync(join(folder, "gateway.yaml"), n, n);
      await look(2);
    }
    expect([maxAgeMs(rules), messages()]).toEqual([10_000, ["configuration.refused"]]);
    // Put back as it was.
    edit(OLDER);
    await look(2);
    expect([rules.report().status, messages()]).toEqual([
      "ok",
      ["configuration.refused", "configuration.reloaded"],
    ]);
    expect(await count("unchanged")).toBe(1);
  });

  it("are not told of when they were touched and nothing more, nor other files beside them", async () => {
    await watched();
    utimesSync(join(folder, "gateway.yaml"), 1, 1);
    writeFileSync(join(folder, "notes.txt"), "x");
    writeFileSync(join(folder, "agents/.assistant.yaml.swp"), "x");
    await look(4);
    expect(lines).toEqual([]);
  });

  it("are found when the folder is made at last, and missed when it is gone", async () => {
    const parent = folder;
    folder = join(parent, "config");
    env = {};
    const rules = await openRulesIn(parent);
    const stopping = new AbortController();
    onTestFinished(() => stopping.abort("over"));
    void rules.watch(stopping.signal);
    await asleep();
    mkdirSync(join(folder, "agents"), { recursive: true });
    writeFileSync(join(folder, "gateway.yaml"), NEWER);
    writeFileSync(join(folder, "agents/assistant.yaml"), AGENT);
    await look(2);
    expect(maxAgeMs(rules)).toBe(20_000);
    // Without a word of it, the defaults would hold, which let everybody in.
    rmSync(folder, { recursive: true });
    await look(2);
    expect([maxAgeMs(rules), rules.report().code]).toEqual([20_000, "CONFIG_INVALID"]);
  });

  async function openRulesIn(cwd: string): Promise<OpenedRules> {
    const here = async () => loadConfig({ modules: MODULES, env, cwd });
    const loaded = await here();
    if (!loaded.ok) throw new Error("Expected defaults");
    return await openRules({
      ...{ config: loaded.config, load: here, clock, random: () => 0.5, log: silentLogger(), metrics },
      version: "1",
      killSwitch: new KillSwitch(metrics),
      controls: controls(),
    });
  }
});
