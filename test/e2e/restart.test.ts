import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { configFolder } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, type Platforms, privateMessage } from "./platforms.ts";
import { recordsOf, said } from "./records.ts";
import { scrape } from "./scrape.ts";

const DRAINING = "Draining:";

/** A gateway that can be started again on the same data. */
async function openRestartable() {
  const platforms = await openPlatforms();
  const options = { dataDir: temporaryFolder(), config: configFolder() };
  return {
    platforms,
    start: (env: Readonly<Record<string, string>> = {}) =>
      startGateway({ ...options, env: { ...platforms.env, ...env } }),
    [Symbol.asyncDispose]: () => platforms[Symbol.asyncDispose](),
  };
}

async function ask(gateway: GatewayProcess, text: string, id?: string): Promise<number> {
  const request = privateMessage("telegram", { person: 5_001, text, ...(id !== undefined && { id }) });
  return (await deliver(gateway.url, request)).status;
}

/** Signals that are closer together are one request. */
const ANOTHER_REQUEST_MS = 150;

/** The bot shows that it is typing while a run is in progress. */
async function runBegan({ telegram }: Platforms): Promise<void> {
  await telegram.waitFor(({ path }) => path.endsWith("/sendChatAction"));
}

function answers(platforms: Platforms): string[] {
  return recordsOf(platforms, "telegram").map(({ text }) => text);
}

describe("a gateway that is told to stop", () => {
  it.each(["SIGTERM", "SIGINT"] as const)("finishes what runs on %s, and exits 0", async (signal) => {
    await using setup = await openRestartable();
    await using gateway = await setup.start();
    expect(await ask(gateway, "finish me\ndemo: sleep 2s")).toBe(200);
    await runBegan(setup.platforms);
    expect(await gateway.end(signal)).toBe(0);
    expect(answers(setup.platforms)).toEqual(["You said: finish me"]);
    expect(gateway.logLines().at(-1)).toMatchObject({ msg: "gateway.stopped" });
  });

  it("takes a signal to the process and one to its group for one request", async () => {
    await using setup = await openRestartable();
    await using gateway = await setup.start();
    expect(await ask(gateway, "finish me\ndemo: sleep 2s")).toBe(200);
    await runBegan(setup.platforms);
    process.kill(gateway.pid, "SIGTERM");
    process.kill(gateway.pid, "SIGINT");
    expect(await gateway.end("SIGTERM")).toBe(0);
    expect(answers(setup.platforms)).toEqual(["You said: finish me"]);
  });

  it("stops at once when told twice, and the next one goes on where it was", async () => {
    await using setup = await openRestartable();
    const { platforms } = setup;
    await using gateway = await setup.start();
    expect(await ask(gateway, "resume me\ndemo: sleep 2s")).toBe(200);
    expect(await ask(gateway, "then me")).toBe(200);
    await runBegan(platforms);
    const ended = gateway.end("SIGTERM");
    await gateway.said(DRAINING);
    await sleep(ANOTHER_REQUEST_MS);
    expect(await Promise.race([gateway.end("SIGTERM"), ended])).toBe(130);
    expect(answers(platforms)).toEqual([]);

    await using next = await setup.start();
    await said(platforms, "telegram", "You said: then me");
    expect(answers(platforms)).toEqual(["You said: resume me", "You said: then me"]);
    expect(await next.end("SIGTERM")).toBe(0);
  });

  it("loses no message that comes during the drain: taken and answered later, or refused and sent again", async () => {
    await using setup = await openRestartable();
    const { platforms } = setup;
    await using gateway = await setup.start();
    expect(await ask(gateway, "busy\ndemo: sleep 2s")).toBe(200);
    await runBegan(platforms);
    const ended = gateway.end("SIGTERM");
    await gateway.said(DRAINING);
    const late = Array.from({ length: 20 }, (_, n) => ({ text: `late-${n}`, id: String(6_000 + n) }));
    const taken = await Promise.all(
      late.map(({ text, id }) =>
        ask(gateway, text, id).then(
          (status) => status === 200,
          () => false,
        ),
      ),
    );
    expect(await ended).toBe(0);

    await using next = await setup.start();
    for (const [n, { text, id }] of late.entries())
      if (!taken[n]) expect(await ask(next, text, id)).toBe(200);
    for (const { text } of late) await said(platforms, "telegram", `You said: ${text}`);
    expect(answers(platforms).sort()).toEqual(
      ["busy", ...late.map(({ text }) => text)].map((text) => `You said: ${text}`).sort(),
    );
  });
});

describe("the kill switch", () => {
  it("is told once and runs nothing; without it messages run again", async () => {
    await using setup = await openRestartable();
    const { platforms } = setup;
    await using paused = await setup.start({ PARLEY_KILL_SWITCH: "1" });
    expect(paused.stderr()).toContain("The kill switch is on");
    expect(await ask(paused, "first")).toBe(200);
    expect(await ask(paused, "second")).toBe(200);
    expect(await ask(paused, "/status")).toBe(200);
    await said(platforms, "telegram", "I am paused: messages are not answered at the moment.");
    await said(platforms, "telegram", "I am paused at the moment.");
    const metrics = await scrape(paused.url);
    expect(metrics.value('parley_refusals_total{platform="telegram",cause="paused"}')).toBe(2);
    expect(metrics.value("parley_paused")).toBe(1);
    expect(metrics.text).not.toMatch(/^parley_(runs|model_calls)_total\{.*\} [^0]/m);
    expect(await paused.end("SIGTERM")).toBe(0);

    await using next = await setup.start();
    expect(await ask(next, "third")).toBe(200);
    await said(platforms, "telegram", "You said: third");
    expect(answers(platforms).filter((text) => text.startsWith("I am paused at the moment."))).toHaveLength(
      1,
    );
    expect(answers(platforms).filter((text) => text.startsWith("You said:"))).toEqual(["You said: third"]);
  });
});
