import { resolve } from "node:path";
import { onTestFinished } from "vitest";
import { launch } from "../support/child.ts";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const EXAMPLES = {
  TypeScript: [process.execPath, resolve(import.meta.dirname, "../../docs/examples/remote-agent.ts")],
  Python: ["python3", resolve(import.meta.dirname, "../../docs/examples/remote_agent.py")],
} as const;

export const LANGUAGES = ["TypeScript", "Python"] as const;

/** Starts the example server of the documentation; gives its address. It goes with the test. */
export async function exampleServer(language: (typeof LANGUAGES)[number]): Promise<string> {
  const { url, end } = await startExample(language);
  onTestFinished(async () => void (await end()));
  return url;
}

export async function startExample(language: (typeof LANGUAGES)[number]) {
  const env = { PATH: process.env.PATH ?? "", AGENT_SECRET: SECRET, PORT: "0" };
  const child = launch(EXAMPLES[language], { env });
  return {
    url: `http://127.0.0.1:${await child.said("stdout", /listening on (\d+)/)}/`,
    end: () => child.end(),
    async [Symbol.asyncDispose]() {
      await child.end();
    },
  };
}
