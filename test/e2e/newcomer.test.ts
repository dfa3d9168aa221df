import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { startGateway, temporaryFolder } from "./gateway-process.ts";

/** Within which a newcomer should see the first reply. */
const MINUTE_MS = 60_000;

it("starts with npm start and nothing else, says what is missing, and answers the line it prints", async () => {
  const dataDir = temporaryFolder();
  const startedAt = performance.now();
  await using gateway = await startGateway({ dataDir, command: ["npm", "start"] });
  // The address is said in the first line, the rest of the same text may come a moment later.
  await gateway.said('-d \'{"message":"hello"}\'');
  const text = gateway.stderr();
  expect(text).toMatch(/slack +off +set SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN\n/);
  expect(text).toMatch(/discord +off +set DISCORD_PUBLIC_KEY, DISCORD_APPLICATION_ID, DISCORD_BOT_TOKEN\n/);
  expect(text).toMatch(/telegram +off +set TELEGRAM_BOT_TOKEN, TELEGRAM_WEBHOOK_SECRET\n/);
  expect(text).toMatch(
    /whatsapp +off +set WHATSAPP_ACCESS_TOKEN, WHATSAPP_APP_SECRET, WHATSAPP_VERIFY_TOKEN, WHATSAPP_PHONE_NUMBER_ID\n/,
  );
  expect(text).toContain("no ANTHROPIC_API_KEY, so the demo model answers");

  const line = /^ *(curl .*)$/m.exec(text)?.[1] ?? "";
  const answer = JSON.parse((await promisify(execFile)("bash", ["-c", line])).stdout);
  expect(answer).toMatchObject({ status: "accepted", reply: expect.stringMatching(/^You said: hello\n/) });
  expect(answer.reply).toContain("I am the demo model");
  expect(performance.now() - startedAt).toBeLessThan(MINUTE_MS);

  expect(processesWith(dataDir).length).toBeGreaterThan(0);
  // npm itself gives the code of the script, or that of the signal.
  expect([0, 143, "SIGTERM"]).toContain(await gateway.end("SIGTERM"));
  expect(gateway.logLines().at(-1)).toMatchObject({ msg: "gateway.stopped" });
  expect(processesWith(dataDir)).toEqual([]);
});

/** Processes in whose environment this text is; those that ended while we looked are none. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/environ`, "latin1").includes(text);
    } catch {
      return false;
    }
  });
}
