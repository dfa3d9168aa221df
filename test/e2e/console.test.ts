import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type Visit, visit } from "../support/browser.ts";
import { eventually } from "../support/eventually.ts";
import { configFolder } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const VIEWS = ["Playground", "Status", "Events", "Refused", "Dead letters", "Approvals", "Usage"];
/** Ways for a fault of ours to run what somebody has written. */
const INJECT = `(() => {
  const script = document.createElement("script");
  const threw = [];
  for (const act of [
    () => { script.textContent = "globalThis.hit = 1"; document.body.append(script); },
    () => { document.body.setAttribute("onclick", "globalThis.hit = 1"); },
    () => { document.body.innerHTML = "<img src=x onerror='globalThis.hit = 1'>"; },
  ]) {
    try { act(); } catch (error) { threw.push(error.name); }
  }
  document.body.click();
  return { threw, isHit: "hit" in globalThis };
})()`;
const TOO_WIDE = "document.documentElement.scrollWidth - innerWidth";
const VIOLATIONS = `axe.run().then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" ")))`;
/** Whatever of it is read as markup says so. */
const HOSTILE = `<img src=x onerror="globalThis.hit=1"><script>globalThis.hit=1</script>`;

let browser: Browser;
let gateway: GatewayProcess;
const dataDir = temporaryFolder();
const config = configFolder();
const start = (env: Readonly<Record<string, string>> = {}) =>
  startGateway({ dataDir, config, env: { PARLEY_ADMIN_TOKEN: TOKEN, ...env } });

beforeAll(async () => {
  browser = await openBrowser();
  gateway = await start();
});
afterAll(async () => {
  await browser.close();
  await gateway[Symbol.asyncDispose]();
});

async function say(message: string, more: object = {}): Promise<string> {
  const response = await fetch(`${gateway.url}/webhooks/test`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ message, ...more }),
  });
  return ((await response.json()) as { id: string }).id;
}

async function api<T>(path: string): Promise<T> {
  const response = await fetch(`${gateway.url}/api/v1${path}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  return (await response.json()) as T;
}

const ended = (id: string, state: string) =>
  eventually(async () => {
    const found = await api<{ state: string }>(`/events/${encodeURIComponent(id)}`);
    if (found.state !== state) throw new Error(`Expected ${state}, got ${found.state}`);
  }, 20_000);

async function logIn(page: Page): Promise<void> {
  await page.getByLabel("Admin token").fill(TOKEN);
  await page.getByLabel("Your name").fill("ann");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("button", { name: "Log out" }).waitFor();
}

async function asOperator(look: Parameters<typeof visit>[2] = {}): Promise<Visit> {
  const visited = await visit(browser, gateway.url, look);
  await logIn(visited.page);
  return visited;
}

const to = (page: Page, view: string) =>
  page.getByRole("navigation").getByRole("link", { name: view }).click();
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();

it("gives a newcomer an answer within a minute, and asks nobody else", async () => {
  const startedAt = performance.now();
  await using own = await startGateway({ dataDir: temporaryFolder() });
  await using visited = await visit(browser, own.url);
  const { page, complaints, origins } = visited;
  await heading(page, "Playground");
  await page.getByText("There is no key of a model yet").waitFor();
  await page.getByLabel("Message").fill("hello");
  await page.keyboard.press("Enter");
  await page.getByText("You said: hello").waitFor();
  await page.getByText("I am the demo model").waitFor();
  await page.getByLabel("Message").fill("demo: markdown");
  await page.getByRole("button", { name: "Send" }).click();
  await page.locator("pre", { hasText: "export function twice" }).waitFor();
  await page.locator("strong", { hasText: "bold" }).first().waitFor();
  expect(performance.now() - startedAt).toBeLessThan(60_000);
  await to(page, "Events");
  await page.getByRole("heading", { name: "The admin API is off" }).waitFor();
  expect(complaints).toEqual([]);
  expect([...origins]).toEqual([own.url]);
});

it("asks for the developer's key where the test webhook wants it", async () => {
  const key = "a-developers-key-of-mine";
  await using own = await startGateway({
    ...{ dataDir: temporaryFolder(), config },
    env: { PARLEY_DEV_KEY: key, PARLEY_PUBLIC_URL: "https://bot.example.com" },
  });
  await using visited = await visit(browser, own.url);
  const { page } = visited;
  const message = page.getByLabel("Message");
  await page.getByLabel("Developer's key").fill("another-key-than-that");
  await message.fill("hello");
  await message.press("Enter");
  await page.getByText("The gateway wants its developer's key").waitFor();
  await page.getByLabel("Developer's key").fill(key);
  await message.press("Enter");
  await page.getByText("You said: hello").waitFor();
});

it("takes the token alone, keeps it in the tab alone, and forgets it", async () => {
  await using visited = await visit(browser, gateway.url);
  const { page, complaints } = visited;
  await page.getByLabel("Admin token").fill("another-token-of-at-least-32-characters");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("That is not the token of this gateway.").waitFor();
  await logIn(page);
  await heading(page, "Status");
  await page.reload();
  await page.getByRole("button", { name: "Log out" }).waitFor();
  expect(await page.evaluate("[localStorage.length, document.cookie, location.search]")).toEqual([0, "", ""]);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Admin token").waitFor();
  expect(await page.evaluate("sessionStorage.length")).toBe(0);
  expect(complaints).toEqual([]);
});

it("shows an event as it comes, and what became of it", async () => {
  await using visited = await asOperator();
  const { page, complaints, origins } = visited;
  await to(page, "Events");
  await page.getByText("Live", { exact: true }).waitFor();
  const id = await say("demo: sleep 1s\nlive words", { user: "zoe", conversation: "live" });
  const row = page.getByRole("link").filter({ hasText: "live words" });
  await row.waitFor();
  await row.filter({ hasText: "done" }).waitFor();
  await row.click();
  await page.getByText(id, { exact: true }).waitFor();
  await page.getByRole("heading", { name: "Answer" }).waitFor();
  await page.getByText("zoe (zoe)").waitFor();
  expect(complaints).toEqual([]);
  expect([...origins]).toEqual([gateway.url]);
});

it("narrows the list, and says where there is nothing", async () => {
  await ended(await say("to be narrowed"), "done");
  await using visited = await asOperator();
  const { page } = visited;
  await to(page, "Events");
  await page.getByText("to be narrowed").waitFor();
  await page.getByLabel("State").selectOption("merged");
  await page.getByText("Nothing like that").waitFor();
  expect(await page.getByText("to be narrowed").count()).toBe(0);
});

it("leaves whoever is at one of the list where they are, and shows older ones when asked", async () => {
  const oldest = await say("the oldest of many", { conversation: "many-0" });
  await ended(oldest, "done");
  for (let i = 1; i <= 31; i++) await say(`one of many ${i}`, { conversation: `many-${i}` });
  await using visited = await asOperator();
  const { page, complaints } = visited;
  await to(page, "Events");
  await page.getByText("one of many 31", { exact: true }).waitFor();
  expect(await page.getByText("the oldest of many").count()).toBe(0);
  await page.getByRole("button", { name: "Older ones" }).click();
  await page.getByText("the oldest of many").waitFor();
  const row = page.getByRole("link").filter({ hasText: "one of many 20" });
  await row.focus();
  await say("one more", { conversation: "many-more" });
  await page.getByText("one more", { exact: true }).waitFor();
  expect(await page.evaluate("document.activeElement.textContent")).toContain("one of many 20");
  await page.getByText("the oldest of many").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await ended(await say("not shown while it is held", { conversation: "many-held" }), "done");
  expect(await page.getByText("not shown while it is held").count()).toBe(0);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("not shown while it is held").waitFor();
  expect(complaints).toEqual([]);
});

it("explains why the bot was silent", async () => {
  await fetch(`${gateway.url}/webhooks/test`, {
    method: "POST",
    headers: { origin: "https://elsewhere.example" },
  });
  await using visited = await asOperator();
  const { page } = visited;
  await to(page, "Refused");
  const row = page.getByRole("button", { name: "missing X-Dev-Key" }).first();
  await row.click();
  await page.getByText("It was refused with 401").waitFor();
  expect(await row.getAttribute("aria-expanded")).toBe("true");
});

it("shows hostile text as text, everywhere", async () => {
  const name = `eve\u202e ${HOSTILE}`;
  const dead = await say(`demo: dead\n${HOSTILE}`, { user: name, conversation: "hostile-1" });
  await ended(dead, "dead");
  await ended(await say(`demo: ask ${HOSTILE}`, { user: name, conversation: "hostile-2" }), "parked");
  await ended(await say(`\u202e${HOSTILE}`, { user: name, conversation: "hostile-3" }), "done");
  await using visited = await asOperator();
  const { page, complaints } = visited;
  for (const view of VIEWS) {
    await to(page, view);
    await heading(page, view);
    if (["Events", "Dead letters", "Approvals"].includes(view))
      await page.getByText("onerror=").first().waitFor();
  }
  await page.goto(`${gateway.url}/#/event/${encodeURIComponent(dead)}`);
  await page.getByRole("heading", { name: "Message" }).waitFor();
  // What turns the direction of a line is spelt.
  await page.getByText("eve\\u{202e} <img src=x").first().waitFor();
  await to(page, "Playground");
  await page.getByLabel("Message").fill(HOSTILE);
  await page.keyboard.press("Enter");
  await page.getByText(`You said: ${HOSTILE}`).waitFor();
  const found = await page.evaluate(
    "[document.querySelectorAll('img, #app script, iframe').length, 'hit' in globalThis]",
  );
  expect(found).toEqual([0, false]);
  expect(complaints).toEqual([]);
});

it("runs nothing but its own script: what is put into the page by other means is refused", async () => {
  await using visited = await visit(browser, gateway.url);
  const { page, complaints } = visited;
  const outcome = await page.evaluate<{ threw: string[]; isHit: boolean }>(INJECT);
  expect(outcome).toEqual({ threw: ["TypeError", "TypeError", "TypeError"], isHit: false });
  expect(complaints.join("\n")).toContain("This document requires 'TrustedHTML' assignment");
  const elsewhere = page.evaluate("fetch('http://127.0.0.2:9/').then(String)");
  await expect(elsewhere).rejects.toThrow("Failed to fetch");
  expect(complaints.join("\n")).toContain(
    `violates the following Content Security Policy directive: "connect-src 'self'"`,
  );
});

it("replays a dead letter once somebody has said yes", async () => {
  const id = await say("demo: dead\nto be replayed", { user: "bob", conversation: "dead-1" });
  await ended(id, "dead");
  const replays = async () =>
    (await api<{ replays: { by: string }[] }>(`/events/${encodeURIComponent(id)}`)).replays;
  await using visited = await asOperator();
  const { page, complaints } = visited;
  await to(page, "Dead letters");
  const letter = page.getByRole("listitem").filter({ hasText: "to be replayed" });
  const replay = letter.getByRole("button", { name: /^Replay/ });
  await replay.click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  expect(await replays()).toEqual([]);
  await replay.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
  await page.getByText("It waits for its turn.").waitFor();
  expect(await replays()).toMatchObject([{ by: "ann" }]);
  await ended(id, "dead");
  await letter.getByRole("button", { name: /^Drop/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Drop" }).click();
  await letter.waitFor({ state: "detached" });
  await ended(id, "dropped");
  expect(complaints).toEqual([]);
});

it("approves and denies", async () => {
  const [yes, no] = [
    await say("demo: ask May the first one?", { user: "carol", conversation: "ask-1" }),
    await say("demo: ask May the second one?", { user: "carol", conversation: "ask-2" }),
  ];
  await ended(yes, "parked");
  await ended(no, "parked");
  await using visited = await asOperator();
  const { page, complaints } = visited;
  await to(page, "Approvals");
  const about = (text: string) => page.getByRole("article").filter({ hasText: text });
  await about("first one").getByRole("button", { name: "Approve" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await about("first one").waitFor({ state: "detached" });
  await about("second one").getByRole("button", { name: "Deny" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("it is Friday");
  await page.getByRole("dialog").getByRole("button", { name: "Deny" }).click();
  await about("second one").waitFor({ state: "detached" });
  await page.getByLabel("Show").selectOption("decided");
  await about("second one").getByText("denied by api:ann: it is Friday").waitFor();
  await ended(yes, "done");
  expect(complaints).toEqual([]);
});

it("throws the kill switch, with a reason, and back", async () => {
  const paused = () => api<{ on: boolean; switch: { by: string; reason: string } | null }>("/kill-switch");
  await using visited = await asOperator();
  const { page, complaints } = visited;
  await to(page, "Status");
  await page.getByRole("button", { name: "Pause everything" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("the model says nonsense");
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await page.getByText("Everything is paused by ann").waitFor();
  expect(await paused()).toMatchObject({
    on: true,
    switch: { by: "ann", reason: "the model says nonsense" },
  });
  await page.getByRole("button", { name: "Go on" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
  await page.getByText("Messages are answered.").waitFor();
  expect(await paused()).toMatchObject({ on: false });
  await page.getByRole("button", { name: "Pause agent assistant" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Go on with agent assistant" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
  await page.getByRole("button", { name: "Pause agent assistant" }).waitFor();
  expect(complaints).toEqual([]);
});

it("says what today has cost", async () => {
  await using visited = await asOperator();
  const { page, complaints } = visited;
  await to(page, "Usage");
  await page.getByText("of $100.00").waitFor();
  await page.getByLabel("Of a").selectOption("model");
  await page.getByLabel("Id", { exact: true }).fill("demo/demo");
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByRole("heading", { name: "model demo/demo" }).waitFor();
  expect(complaints).toEqual([]);
});

it("goes on after the gateway was started again", async () => {
  const port = new URL(gateway.url).port;
  await using visited = await asOperator();
  const { page, complaints } = visited;
  await to(page, "Events");
  await page.getByText("Live", { exact: true }).waitFor();
  await gateway.end("SIGKILL");
  await page.getByText("The gateway does not answer; trying again").waitFor();
  gateway = await start({ PARLEY_PORT: port });
  await page.getByText("Live", { exact: true }).waitFor({ timeout: 60_000 });
  await say("after the restart");
  await page.getByText("after the restart").waitFor();
  expect(complaints.filter((one) => !one.includes("net::ERR"))).toEqual([]);
});

describe.each([
  [360, "dark"],
  [1280, "light"],
] as const)("at %d pixels, %s", (width, colorScheme) => {
  it("fits, can be reached by keys, and has nothing that a screen reader misses", async () => {
    const id = await say("demo: dead\nto be looked at", { conversation: `looked-${width}` });
    await ended(id, "dead");
    await using visited = await visit(browser, gateway.url, { width, colorScheme });
    const { page } = visited;
    const look = async (what: string) => {
      await page.locator(".loading").waitFor({ state: "detached" });
      expect(await page.evaluate(TOO_WIDE), what).toBeLessThanOrEqual(0);
      await page.evaluate(axe.source);
      expect(await page.evaluate(VIOLATIONS), what).toEqual([]);
    };
    await page.getByLabel("Admin token").waitFor();
    await look("Log in");
    await logIn(page);
    for (const view of VIEWS) {
      await to(page, view);
      await heading(page, view);
      await look(view);
    }
    await page.goto(`${gateway.url}/#/event/${encodeURIComponent(id)}`);
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByRole("dialog").getByText("Run it again?").waitFor();
    await look("An event, and a question");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.reload();
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
  });
});
