import type { PlatformWords } from "../../src/ports/platform.ts";

export const WORDS: PlatformWords = {
  sender: null,
  secret: "Compare the webhook's `secret` in `inbound` of gateway.yaml with what signs",
  twice: "Its sender has sent it again under the same webhook-id",
  ignored: {
    in_command:
      "It is a command to the gateway and nothing else; what a program brings stops, resets and chooses nothing.",
    in_no_text: "Its `text` in gateway.yaml came to nothing: what it points at is not in the body.",
  },
};
