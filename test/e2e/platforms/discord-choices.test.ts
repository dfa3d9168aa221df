import { expect, it } from "vitest";
import { configFolder, NO_LIMITS } from "../configuration.ts";
import { startWithPlatforms } from "../gateway-with-platforms.ts";
import { deliver, webhook } from "../platforms.ts";

const AGENT = `metadata: { name: assistant }
spec:
  model: { provider: demo, model: demo }
  tools:
    - name: services
      type: command
      command: printf
      args: ['["%s-one","%s-two"]', "{name}", "{name}"]
      input: { name: { pattern: "^[a-z]*$" } }
      effect: read
`;
const FROM = `{ agent: assistant, tool: services, arguments: { name: "{typed}" } }`;
const CHOICES = `  platforms:
    discord:
      autocomplete:
        choices: [{ command: /ask, option: task, values: [configured, C1], from: ${FROM} }]
`;

it("an autocompletion is answered with what a tool of an agent gives, else with what is configured", async () => {
  await using setup = await startWithPlatforms({}, configFolder(NO_LIMITS + CHOICES, AGENT));
  const typing = async (text: string) => {
    const answer = await deliver(setup.gateway.url, webhook("discord", { kind: "autocomplete", text }));
    const { type, data } = JSON.parse(answer.text) as {
      type: number;
      data: { choices: { value: string }[] };
    };
    return [answer.status, type, ...data.choices.map(({ value }) => value)];
  };
  expect(await typing("web")).toEqual([200, 8, "web-one", "web-two"]);
  // Its arguments take no such thing.
  expect(await typing("C1")).toEqual([200, 8, "C1"]);
});
