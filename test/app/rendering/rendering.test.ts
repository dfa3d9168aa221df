import { afterEach, describe, expect, it } from "vitest";
import { mintAddress } from "../../../adapters/discord/address.ts";
import { Rendering, type RenderingOptions } from "../../../src/app/rendering/index.ts";
import type { Platform, ReplyAddress } from "../../../src/domain/event.ts";
import type { Adapter } from "../../../src/ports/adapter.ts";
import { silentLogger } from "../../../src/telemetry/log.ts";
import { FakeAdapter } from "../../support/adapter.ts";
import { CHATS } from "../../support/chat-platforms.ts";

const TO = "to" as ReplyAddress;
/** More than is rendered at once. */
const LONG = "- *item* with `code`\n".repeat(400);
let rendering: Rendering;
afterEach(() => rendering.close());

function open(options: Partial<RenderingOptions> = {}) {
  rendering = new Rendering({ log: silentLogger(), ...options });
  return rendering.render;
}

async function realAdapter(platform: Platform): Promise<Adapter> {
  const renderer = new URL(`../../../adapters/${platform}/render.ts`, import.meta.url).href;
  const { renderReply: render } = (await import(renderer)) as { renderReply: Adapter["render"] };
  return Object.assign(new FakeAdapter(platform), { render, renderer });
}

describe("rendering", () => {
  it.each(CHATS)("on a thread gives what the adapter for %s gives itself", async (platform) => {
    const adapter = await realAdapter(platform);
    const parts = open()(adapter, LONG, TO);
    expect(parts).toBeInstanceOf(Promise);
    expect(await parts).toEqual(adapter.render(LONG, TO));
  });

  it("on a thread keeps to what the place takes", async () => {
    const adapter = await realAdapter("discord");
    const place = { applicationId: "900", id: "1", token: "t", channelId: "20", guildId: null };
    const to = mintAddress({ kind: "interaction", ...place, expiresAtMs: 0, followUpsMax: 5 });
    const parts = open()(adapter, LONG.repeat(3), to);
    expect(parts).toBeInstanceOf(Promise);
    expect(await parts).toHaveLength(6);
    expect(await open()(adapter, LONG.repeat(3), TO)).not.toHaveLength(6);
  });

  it("of a usual answer is done at once", async () => {
    const adapter = await realAdapter("slack");
    const answer = `${"Some **words** about [it](https://x.example/).\n".repeat(20)}${"word ".repeat(1_000)}`;
    expect(open()(adapter, answer, TO)).toEqual(adapter.render(answer, TO));
  });

  it("leaves the event loop to others while it lasts", async () => {
    const hostile = `${"*_`~[".repeat(190)}\n\n`.repeat(68);
    const render = open();
    const adapter = await realAdapter("slack");
    let done = false;
    const parts = Promise.resolve(render(adapter, hostile, TO)).finally(() => {
      done = true;
    });
    let turns = 0;
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
    // Rendered here, it would be done within one turn.
    expect(turns).toBeGreaterThan(100);
    expect((await parts).length).toBeGreaterThan(1);
  });

  const stuck = { thread: new URL("./stuck-thread.ts", import.meta.url) };

  it.each([
    ["takes for ever", { deadlineMs: 1_000 }],
    ["makes the thread die", {}],
    ["cannot be rendered", {}],
  ])("of what %s says it as it stands, and the next answer is rendered again", async (what, options) => {
    const render = open({ ...stuck, ...options });
    const adapter = await realAdapter("slack");
    const text = `${what}\n~~~\n${"[[[[[\n".repeat(600)}`;
    const [first, second] = await Promise.all([render(adapter, text, TO), render(adapter, LONG, TO)]);
    expect(first.map((part) => JSON.parse(part).text).join("")).toContain(`\`\`\`\n${what}\n~~~\n[[[`);
    expect(second).toEqual(["from the thread"]);
  });

  it("gives the thread back when idle", async () => {
    const render = open({ ...stuck, idleMs: 1 });
    const adapter = await realAdapter("slack");
    for (let i = 0; i < 3; i++) expect(await render(adapter, LONG, TO)).toEqual(["from the thread"]);
  });
});
