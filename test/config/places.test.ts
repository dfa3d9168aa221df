import { expect, it } from "vitest";
import { AGENT, load } from "./helpers.ts";

const notesOf = (spec: string, env: Record<string, string> = {}) => {
  const loaded = load({ "gateway.yaml": `spec:\n${spec}`, "agents/assistant.yaml": AGENT }, { env });
  return loaded.ok ? loaded.config.notes.filter((note) => note.includes("slack is")) : null;
};

const NOTIFY = "  notify: [{ platform: slack, channel: C9, events: [event.dead] }]\n";
const SLACK = { SLACK_BOT_TOKEN: "xoxb-1", SLACK_SIGNING_SECRET: "0123456789abcdef0123456789abcdef" };

it("a place at a platform that is off is told, with what turns it on", () => {
  expect(notesOf(NOTIFY)).toEqual([
    expect.stringMatching(
      /^config\/gateway\.yaml:2:24 spec\.notify\[0\]\.platform: slack is not configured \(.*SLACK_BOT_TOKEN.*\): nobody is told anything there/,
    ),
  ]);
  expect(notesOf(NOTIFY, SLACK)).toEqual([]);
  expect(notesOf(`${NOTIFY}  platforms: { slack: { enabled: false } }\n`, SLACK)).toEqual([
    expect.stringContaining("slack is switched off (platforms.slack.enabled is false; auto turns it on)"),
  ]);
  const schedule = `{ name: a, cron: "0 9 * * *", agent: assistant, to: { platform: slack, tenant: T1, channel: C1 }, text: x }`;
  expect(notesOf(`  schedules: [${schedule}]\n`)).toEqual([
    expect.stringContaining("spec.schedules[0].to.platform: slack is not configured"),
  ]);
});
