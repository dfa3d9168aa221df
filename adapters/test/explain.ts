import type { PlatformWords } from "../../src/ports/platform.ts";

export const WORDS: PlatformWords = {
  sender: null,
  secret: "Send the header X-Dev-Key with the value of PARLEY_DEV_KEY",
  ignored: {},
};
