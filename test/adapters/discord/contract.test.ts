import { createDiscordAdapter } from "../../../adapters/discord/adapter.ts";
import { readPart } from "../../../adapters/discord/render.ts";
import { discordSampler } from "../../../adapters/discord/sample.ts";
import { REASONS } from "../../../adapters/discord/verify.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { adapterContract } from "../../contract/adapter.ts";
import { attachedTo, discordError, discordRateLimit, fakeDiscord } from "../../fakes/discord.ts";
import { PRESSES } from "../../support/presses.ts";
import { OTHER_SEED, PUBLIC_KEY, SEED } from "./fixture.ts";

const BOT_TOKEN = "bot-token-nobody-may-see";
const NOW_MS = 1_780_000_000_000;
/** Of the contract's first sample. */
const INTERACTION_TOKEN = JSON.parse(
  discordSampler.build({ kind: "slash", text: "", id: "1", nowMs: NOW_MS, secret: SEED }).body,
).token as string;

adapterContract("discord", {
  async setUp({ timeoutMs }) {
    const fake = await fakeDiscord({ botToken: BOT_TOKEN });
    const another = () =>
      createDiscordAdapter({
        publicKeys: [PUBLIC_KEY],
        botToken: new Secret(BOT_TOKEN),
        applicationId: "900",
        apiUrl: fake.apiUrl,
        clock: { nowMs: () => NOW_MS, sleep: async () => {} },
        timeoutMs,
        random: () => 0,
      });
    return {
      adapter: another(),
      another,
      deleteAll: () => void fake.messages.splice(0),
      fake,
      textOf: (part) => readPart(part)?.content ?? "",
      files: () =>
        fake.messages.flatMap((message) =>
          attachedTo(message).map((file) => ({ place: message.channelId, ...file })),
        ),
      refuseFiles: () => fake.noFiles.add(INTERACTION_TOKEN),
      buttons: () => fake.messages.map(({ body }) => buttonsIn(body)),
      said: () => fake.messages.map(({ channelId, content }) => ({ place: channelId, text: content })),
    };
  },
  sampler: discordSampler,
  eventKinds: ["slash", "message-command", "modal"],
  secret: SEED,
  otherSecret: OTHER_SEED,
  authHeaders: ["x-signature-ed25519", "x-signature-timestamp"],
  reasons: Object.values(REASONS),
  signsBody: true,
  textCharsMax: 2_000,
  filesOver: 10_000,
  liveMentions: ["@everyone", "@here", "<@30>", "<@!30>", "<@&71>"],
  rateLimited: (seconds) => discordRateLimit(seconds),
  rejected: discordError(403, 50_013, "Missing Permissions"),
  buttons: {
    max: 25,
    press: ({ id: buttonId, label }) =>
      PRESSES.discord({ buttonId, label, id: String(buttonId.length), nowMs: NOW_MS, secret: SEED }),
  },
  growsFor: "slash",
  refused: [discordError(401, 50_027), discordError(401, 0, "401: Unauthorized")],
  credentials: [BOT_TOKEN, SEED, INTERACTION_TOKEN],
});

function buttonsIn({ components = [] }: { readonly components?: unknown }) {
  const rows = components as { components: { custom_id: string; label: string }[] }[];
  return rows.flatMap((row) => row.components.map(({ custom_id: id, label }) => ({ id, label })));
}
