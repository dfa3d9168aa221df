import type { BotQuestion, SampledBot, Sending } from "../../src/ports/sampler.ts";
import { getString } from "../../src/shared/json.ts";
import { slackSampler } from "./sample.ts";
import { API_URL } from "./settings.ts";

export const sending: Sending = {
  kinds: slackSampler.kinds,
  secretVariable: () => "SLACK_SIGNING_SECRET",
  needsSecret: true,
  build: (options) => slackSampler.build(options),
  bot: { what: "its user id", find },
  later: "Slack's signature is valid for 5 minutes.",
};

/** Without an answer the made-up workspace and bot stand in: the payload itself says who is meant. */
async function find({ given, env, ask }: BotQuestion): Promise<SampledBot | null> {
  if (given !== undefined && !/^[A-Z0-9]{1,64}$/.test(given))
    throw new TypeError("expected --bot to be a user id such as U024BE7LH, got something else");
  const token = env.secret("SLACK_BOT_TOKEN");
  if (token === null) return given === undefined ? null : { id: given };
  const root = (env.url("SLACK_API_URL") ?? API_URL).replace(/\/+$/, "");
  const headers = { authorization: `Bearer ${token.reveal()}` };
  const { body } = await ask(`${root}/auth.test`, { method: "POST", headers });
  const id = given ?? getString(body, "user_id");
  const tenant = getString(body, "team_id");
  return id === undefined ? null : { id, ...(tenant !== undefined && { tenant }) };
}
