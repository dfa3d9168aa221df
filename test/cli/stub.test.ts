import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { call, type Result } from "./helpers.ts";

interface Stubs {
  readonly url: string;
  readonly variables: Readonly<Record<string, string>>;
  /** What was printed on stdout by now. */
  readonly lines: () => readonly string[];
  /** Presses Ctrl-C. */
  readonly end: () => Promise<Result>;
}

async function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Stubs> {
  const ctrlC = new AbortController();
  let printed = "";
  let ended: Promise<Result> | undefined;
  const url = await new Promise<string>((listens, failed) => {
    ended = call(["stub", "--port", "0", ...args], {
      env,
      interrupted: () => ctrlC.signal,
      onOut: (text) => {
        printed += text;
      },
      onTalk: (text) => {
        const found = / on (http:\S+);/.exec(text)?.[1];
        if (found === undefined) return;
        listens(found);
      },
    });
    ended.then(({ stderr }) => failed(new Error(stderr)), failed);
  });
  const lines = () => printed.split("\n").filter((line) => line !== "");
  const [first = ""] = lines();
  const end = async () => {
    ctrlC.abort("interrupted");
    return (await ended) as Result;
  };
  onTestFinished(async () => void (await end()));
  return {
    url,
    variables: first.startsWith("{")
      ? JSON.parse(first).variables
      : Object.fromEntries(lines().map((line) => line.split(/=(.*)/).slice(0, 2))),
    lines,
    end,
  };
}

const post = (url: string, body: object) =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

describe("parley stub", () => {
  it("prints the variables that lead there, each secret another each time, and ends with Ctrl-C", async () => {
    const [one, other] = [await start([]), await start([])];
    expect(Object.keys(one.variables)).toEqual([
      ...["SLACK_API_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"],
      ...["DISCORD_API_URL", "DISCORD_APPLICATION_ID", "DISCORD_PUBLIC_KEY", "DISCORD_PRIVATE_SEED"],
      ...["TELEGRAM_API_ROOT", "TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"],
      ...["WHATSAPP_API_URL", "WHATSAPP_ACCESS_TOKEN", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"],
      "WHATSAPP_PHONE_NUMBER_ID",
    ]);
    expect(one.variables.SLACK_API_URL).toBe(`${one.url}/api/`);
    for (const [name, value] of Object.entries(one.variables))
      if (/TOKEN|SECRET|SEED|KEY/.test(name)) expect(other.variables[name], name).not.toBe(value);
    const { code, stderr } = await one.end();
    expect({ code, stderr }).toEqual({ code: 130, stderr: expect.stringContaining("Ctrl-C ends it") });
    // Nothing listens there any more.
    await expect(fetch(one.url)).rejects.toThrow(TypeError);
  });

  it("turns on every platform that it stands in for, with nothing to complain of", async () => {
    const { variables } = await start([]);
    const { code, stdout, stderr } = await call(["config", "print", "--json"], { env: variables });
    expect(code, stderr).toBe(0);
    const { platforms } = JSON.parse(stdout).environment;
    for (const name of ["slack", "discord", "telegram", "whatsapp"])
      expect(platforms[name], name).toMatchObject({ kind: "on" });
  });

  it("leaves alone and does not print what is set", async () => {
    const { lines, end } = await start(["slack"], { SLACK_BOT_TOKEN: "xoxb-mine-of-old" });
    expect(lines().map((line) => line.split("=")[0])).toEqual(["SLACK_API_URL", "SLACK_SIGNING_SECRET"]);
    const { stdout, stderr } = await end();
    expect(stderr).toContain("Set already, and left as they are: SLACK_BOT_TOKEN.");
    expect(stdout + stderr).not.toContain("mine-of-old");
  });

  it("prints what people would read, with nothing in it that a terminal would obey", async () => {
    const { url, lines } = await start(["telegram", "--json"]);
    const asked = `${url}/bot77:a-token/sendMessage`;
    const answer = await (await post(asked, { chat_id: 7, text: "red \u001b[31m\nand ‮ more" })).json();
    expect(answer).toMatchObject({ ok: true, result: { chat: { id: 7 } } });
    const [, line = ""] = lines();
    expect(JSON.parse(line)).toMatchObject({
      ...{ platform: "telegram", call: "sendMessage", place: "7", text: "red \u001b[31m\nand ‮ more" },
    });
    for (const char of ["\u001b", "\u202e"]) expect(line).not.toContain(char);
    expect(lines().join("\n")).not.toContain("a-token");
  });

  it("prints it for people, too", async () => {
    const { url, lines } = await start(["whatsapp"]);
    const before = lines().length;
    await post(`${url}/v26.0/PN1/messages`, {
      ...{ messaging_product: "whatsapp", to: "491700", type: "text", text: { body: "one\ntwo \u001b[31m" } },
    });
    const [head = "", ...text] = lines().slice(before);
    expect(head).toMatch(/^\d\d:\d\d:\d\d {2}whatsapp {2}messages {2}491700$/);
    expect(text).toEqual(["  one", "  two \\u{1b}[31m"]);
  });

  it("prints what is said in embeds", async () => {
    const { url, lines } = await start(["discord", "--json"]);
    const embeds = [{ title: "Service", fields: [{ name: "api", value: "up" }] }];
    for (const content of ["Look:", ""]) {
      const answer = await post(`${url}/api/v10/webhooks/900/a-token`, { content, embeds });
      expect(await answer.json()).toMatchObject({ content, embeds });
    }
    expect(
      lines()
        .slice(1)
        .map((line) => JSON.parse(line).text),
    ).toEqual(["Look:\nService\napi: up", "Service\napi: up"]);
  });

  it("says so where a method or a path is none that it knows", async () => {
    const { url, lines, end } = await start(["slack", "--json"]);
    expect(await (await post(`${url}/api/chat.unheardOf`, {})).json()).toEqual({
      ...{ ok: false, error: "unknown_method" },
    });
    expect(JSON.parse(lines()[1] ?? "")).toMatchObject({ call: "chat.unheardOf" });
    expect((await fetch(`${url}/bot77:a-token/getMe`)).status).toBe(404);
    const { stdout, stderr } = await end();
    expect(stdout + stderr).not.toContain("a-token");
  });

  it("ends with 69 where its port is taken, and with 2 where no such platform is", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void taken.close());
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    expect(await call(["stub", "--port", String(port)])).toMatchObject({
      ...{ code: 69, stdout: "", stderr: expect.stringContaining("EADDRINUSE") },
    });
    expect(await call(["stub", "irc"])).toMatchObject({ code: 2, stdout: "" });
  });
});
