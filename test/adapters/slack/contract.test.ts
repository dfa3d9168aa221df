import { slackSampler } from "../../../adapters/slack/sample.ts";
import { REASONS } from "../../../adapters/slack/verify.ts";
import { adapterContract } from "../../contract/adapter.ts";
import { fakeSlack, slackError, slackRateLimited } from "../../fakes/slack.ts";
import { PRESSES } from "../../support/presses.ts";
import { adapterOf, OTHER_SECRET, SECRET, TOKEN } from "./setup.ts";

adapterContract("slack", {
  async setUp({ timeoutMs }) {
    const fake = await fakeSlack({ token: TOKEN });
    const another = () => adapterOf({ apiUrl: fake.apiUrl, timeoutMs });
    return {
      fake,
      adapter: another(),
      another,
      deleteAll: () => void fake.messages.splice(0),
      textOf: (part) => {
        const { text, file } = JSON.parse(part) as { text: string; file?: object };
        return file === undefined ? text : null;
      },
      files: () => fake.shared.map(({ channel, name, text }) => ({ place: channel, name, text })),
      refuseFiles: () => fake.missing.add("files:write"),
      buttons: () =>
        fake.messages.map(({ blocks }) =>
          blocks.flatMap(({ elements = [] }) =>
            elements.map(({ action_id: id, text }) => ({ id, label: text.text })),
          ),
        ),
      said: () => fake.messages.map(({ channel, text }) => ({ place: channel, text })),
    };
  },
  sampler: slackSampler,
  eventKinds: ["mention", "message", "dm", "thread", "slash", "button"],
  secret: SECRET,
  otherSecret: OTHER_SECRET,
  authHeaders: ["x-slack-signature", "x-slack-request-timestamp"],
  reasons: Object.values(REASONS),
  signsBody: true,
  textCharsMax: 3_900,
  filesOver: 12_000,
  liveMentions: ["<!channel>", "<!here>", "<!everyone>", "<!subteam^S1>", "<@U1>", "<@U1|ann>", "<#C1>"],
  buttons: {
    max: 25,
    press: ({ id: buttonId, label }, { replyTo }) =>
      PRESSES.slack({
        ...{ buttonId, label, id: String(buttonId.length), nowMs: 1_780_000_000_000, secret: SECRET },
        thread: JSON.parse(replyTo).threadTs,
      }),
  },
  rateLimited: slackRateLimited,
  rejected: slackError("channel_not_found"),
  growsFor: "mention",
  refused: [slackError("token_revoked")],
  credentials: [TOKEN, SECRET],
});
