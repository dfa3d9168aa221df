import { expect, it } from "vitest";
import { configFolder } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, privateMessage } from "./platforms.ts";
import { recordsOf, said } from "./records.ts";

const GAVE_UP = "I could not answer this";
/** The bot shows that it is typing when a run begins. */
const isTyping = ({ path }: { path: string }) => path.endsWith("/sendChatAction");

it("a message in whose run the process dies three times is given up, and its conversation goes on", async () => {
  await using platforms = await openPlatforms();
  const options = { dataDir: temporaryFolder(), config: configFolder(), env: platforms.env };
  const answers = () => recordsOf(platforms, "telegram").map(({ text }) => text);

  for (let deaths = 0; deaths < 3; deaths++) {
    const runsBefore = platforms.telegram.calls.filter(isTyping).length;
    await using gateway = await startGateway(options);
    if (deaths === 0) {
      for (const text of ["poison\ndemo: sleep 60s", "then me"]) {
        const request = privateMessage("telegram", { person: 5_001, text });
        expect((await deliver(gateway.url, request)).status).toBe(200);
      }
    }
    await platforms.telegram.waitFor(isTyping, runsBefore + 1);
    expect(await gateway.end("SIGKILL")).toBe("SIGKILL");
    expect(answers()).toEqual([]);
  }

  await using gateway = await startGateway(options);
  await said(platforms, "telegram", "You said: then me");
  expect(answers()).toEqual([expect.stringContaining(GAVE_UP), "You said: then me"]);
  await gateway.logged(/event\.dead/);
  expect(gateway.logLines().find(({ msg }) => msg === "event.dead")).toMatchObject({
    cause: "gave up after 3 deaths of the process that ran it",
  });
});
