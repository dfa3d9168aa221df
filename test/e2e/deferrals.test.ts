import { expect, it } from "vitest";
import { configFolder } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, seenOn, webhook } from "./platforms.ts";

/** Discord gives up on an interaction that is not answered by then. */
const DEADLINE_MS = 3_000;
const INTERACTIONS = 200;

const SPEC = `  limits: { user: off, conversation: off, tenant: off, global: off }
  routes: [{ agent: assistant }]
  queue: { concurrency: 20 }
`;

it("200 interactions at once, and a model that takes its time: each is deferred in time, and answered once", async () => {
  await using platforms = await openPlatforms();
  await using gateway = await startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(SPEC),
    env: platforms.env,
  });
  const { discord } = platforms;
  const asked = Array.from({ length: INTERACTIONS }, (_, n) =>
    webhook("discord", {
      kind: "slash",
      channel: String(70_000 + n),
      user: String(90_000 + n),
      text: `demo: sleep 500ms\nnumber ${n}.`,
    }),
  );
  // As Discord does: what takes longer is given up, and nothing can be said to it any more.
  const answers = await Promise.all(asked.map((request) => deliver(gateway.url, request, DEADLINE_MS)));
  expect(answers.filter(({ status, text }) => status !== 200 || JSON.parse(text).type !== 5)).toEqual([]);
  // A queue of twenty at a time takes some five seconds; who comes last is answered like the first.
  await seenOn(discord, () => (discord.messages.length >= INTERACTIONS ? true : undefined));
  const said = discord.messages.map(({ content, kind }) => `${kind} ${content}`).sort();
  expect(said).toEqual(asked.map((_, n) => `original You said: number ${n}.`).sort());
});
