import { afterAll, beforeAll, expect, it } from "vitest";
import { PRESSES } from "../support/presses.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type Setup, startWithPlatforms } from "./gateway-with-platforms.ts";
import {
  CHAT_PLATFORMS,
  type ChatPlatform,
  deliver,
  discordSignature,
  privateMessage,
  SIGNING,
  seenOn,
  webhook,
} from "./platforms.ts";

const COMMANDS = `  commands:
    - command: /deploy
      aliases: [/ship]
      description: Deploys a service
      menu: { text: What shall I deploy?, choices: [{ label: API, command: /ship api staging }, { label: Status, command: /status }] }
`;

let setup: Setup;
beforeAll(async () => {
  setup = await startWithPlatforms({}, configFolder(NO_LIMITS + COMMANDS));
});
afterAll(() => setup[Symbol.asyncDispose]());

interface Shown {
  readonly text: string;
  readonly buttons: readonly { readonly id: string; readonly label: string }[];
}

interface Element {
  readonly action_id?: string;
  readonly custom_id?: string;
  readonly label?: string;
  readonly text?: { readonly text: string };
}

/** Each message as people read it, with what can be pressed below it. */
const SHOWN: Readonly<Record<ChatPlatform, () => readonly Shown[]>> = {
  slack: () =>
    setup.platforms.slack.messages.map(({ text, blocks }) => ({
      text,
      buttons: (blocks as readonly { readonly elements?: readonly Element[] }[])
        .flatMap(({ elements = [] }) => elements)
        .map((one) => ({ id: one.action_id ?? "", label: one.text?.text ?? "" })),
    })),
  discord: () =>
    setup.platforms.discord.messages.map(({ content, body }) => ({
      text: content,
      buttons: ((body.components ?? []) as { components: Element[] }[])
        .flatMap(({ components }) => components)
        .map((one) => ({ id: one.custom_id ?? "", label: one.label ?? "" })),
    })),
  telegram: () =>
    setup.platforms.telegram.messages.map(({ text, keyboard }) => ({
      text,
      buttons: keyboard.flat().map((one) => ({ id: one.callback_data, label: one.text })),
    })),
  whatsapp: () =>
    setup.platforms.whatsapp.messages.map(({ body }) => {
      const { interactive, text } = body as { interactive?: Interactive; text?: { body: string } };
      const replies = interactive?.action.buttons?.map(({ reply }) => reply) ?? [];
      const rows = interactive?.action.sections?.flatMap((section) => section.rows) ?? [];
      return {
        text: interactive?.body.text ?? text?.body ?? "",
        buttons: [...replies, ...rows].map(({ id, title }) => ({ id, label: title })),
      };
    }),
};

interface Interactive {
  readonly body: { readonly text: string };
  readonly action: {
    readonly buttons?: { readonly reply: Row }[];
    readonly sections?: { readonly rows: Row[] }[];
  };
}
interface Row {
  readonly id: string;
  readonly title: string;
}

/** Discord tells with a press which message holds the button. */
async function press(platform: ChatPlatform, buttonId: string, label: string, id = "9901"): Promise<void> {
  const options = { buttonId, label, id, nowMs: Date.now(), secret: SIGNING[platform] };
  const request = PRESSES[platform](options);
  if (platform !== "discord") {
    await deliver(setup.gateway.url, request);
    return;
  }
  const button = { type: 2, custom_id: buttonId, label };
  const interaction = JSON.parse(request.body);
  const message = { ...interaction.message, components: [{ type: 1, components: [button] }] };
  const body = JSON.stringify({ ...interaction, message });
  await deliver(setup.gateway.url, {
    ...request,
    body,
    headers: { ...request.headers, ...discordSignature(body) },
  });
}

const shownOn = (platform: ChatPlatform, match: (one: Shown) => boolean) =>
  seenOn(setup.platforms[platform], () => SHOWN[platform]().find(match));

it.each(CHAT_PLATFORMS)(
  "choices of an answer are buttons on %s, and what is pressed is answered",
  async (platform) => {
    await deliver(setup.gateway.url, webhook(platform, { text: "demo: choices Now | Next week | Never" }));
    const offer = await shownOn(platform, ({ buttons }) => buttons.length > 0);
    expect(offer).toMatchObject({
      text: "Please choose:",
      buttons: [
        { id: "choice:1", label: "Now" },
        { id: "choice:2", label: "Next week" },
        { id: "choice:3", label: "Never" },
      ],
    });
    await press(platform, "choice:2", "Next week");
    const answer = await shownOn(platform, ({ text }) => text.startsWith("You said: Next week"));
    expect(answer.buttons).toEqual([]);
  },
);

it("more than three are a list on WhatsApp, and what a row does not hold stands in the message", async () => {
  const long = "The day after the one after tomorrow";
  const text = `demo: choices One | Two | Three | ${long}`;
  await deliver(setup.gateway.url, webhook("whatsapp", { text }));
  const offer = await shownOn("whatsapp", ({ buttons }) => buttons.length === 4);
  expect(offer.text).toBe(`Please choose:\n\n1. One\n2. Two\n3. Three\n4. ${long}`);
  expect(offer.buttons.map(({ label }) => label)).toEqual([
    "One",
    "Two",
    "Three",
    "The day after the one a…",
  ]);
});

it("those of a streamed answer come with its last words", async () => {
  const text = "demo: stream 30 20\ndemo: choices Left | Right";
  await deliver(setup.gateway.url, webhook("slack", { kind: "mention", channel: "C900", text }));
  const offer = await shownOn("slack", (one) => one.text.includes("w30") && one.buttons.length === 2);
  expect(offer.text.endsWith("w30")).toBe(true);
  const told = setup.platforms.slack.calls.filter(({ path }) => /(?:start|append|stop)Stream/.test(path));
  expect(told.length).toBeGreaterThan(0);
  expect(told.filter(({ body }) => body.includes("choices"))).toEqual([]);
});

it("are words where there are more than fit", async () => {
  const many = Array.from({ length: 11 }, (_, i) => `option ${i + 1}`);
  await deliver(
    setup.gateway.url,
    webhook("whatsapp", { text: `demo: choices ${many.join(" | ")}`, user: "447700900199" }),
  );
  const offer = await shownOn("whatsapp", (one) => one.text.includes("option 11"));
  expect(offer.buttons).toEqual([]);
});

it.each(CHAT_PLATFORMS)("a menu is buttons on %s, and a press is the command behind it", async (platform) => {
  await deliver(setup.gateway.url, webhook(platform, { text: "!ship" }));
  const menu = await shownOn(platform, ({ text }) => text === "What shall I deploy?");
  expect(menu.buttons).toEqual([
    { id: "/ship api staging", label: "API" },
    { id: "/status", label: "Status" },
  ]);
  await press(platform, "/ship api staging", "API", "9902");
  // The demo model repeats what stands behind the command.
  await shownOn(platform, ({ text }) => text.startsWith("You said: api staging"));
  await press(platform, "/status", "Status", "9903");
  await shownOn(platform, ({ text }) => text.includes("assistant") && text.includes("answers here"));
});

it.each(CHAT_PLATFORMS)(
  "a number behind a menu is its choice on %s, once, and then a number",
  async (platform) => {
    /** Others have been told the same here before: resolves once it is said anew. */
    const answered = async (text: string, isAnswer: (said: string) => boolean) => {
      const count = () => SHOWN[platform]().filter((one) => isAnswer(one.text)).length;
      const before = count();
      await deliver(setup.gateway.url, privateMessage(platform, { person: 4711, text }));
      await setup.platforms[platform].until(() => count() > before);
    };
    await answered("1", (said) => said.startsWith("You said: 1"));
    await answered("!ship", (said) => said === "What shall I deploy?");
    await answered("2.", (said) => said.includes("answers here"));
    await answered("1", (said) => said.startsWith("You said: api staging"));
    await answered("2", (said) => said.startsWith("You said: 2"));
  },
);

it("/help names the commands of the configuration", async () => {
  await deliver(setup.gateway.url, webhook("telegram", { text: "!help" }));
  const help = await shownOn("telegram", ({ text }) => text.includes("Deploys a service"));
  expect(help.text).toContain("/deploy (also /ship): Deploys a service");
});
