import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { PLATFORMS } from "../../src/domain/event.ts";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { call, type Result } from "./helpers.ts";

let admin: Admin;
let url: string;
beforeEach(async () => {
  admin = await openAdmin();
  url = await admin.listen();
});

/** A tail in this process, whose output can be waited for. */
function follow(args: readonly string[] = [], at = url) {
  const ctrlC = new AbortController();
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  const hear = () => {
    for (const listener of listeners) listener();
  };
  const ended: Promise<Result> = call(["tail", "--url", at, ...args], {
    env: { PARLEY_ADMIN_TOKEN: TOKEN },
    interrupted: () => ctrlC.signal,
    onOut: (text) => {
      stdout += text;
      hear();
    },
    onTalk: (text) => {
      stderr += text;
      hear();
    },
  });
  onTestFinished(() => ctrlC.abort("interrupted"));
  return {
    ended,
    /** Resolves once stdout and stderr together hold this. */
    said: (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if ((stdout + stderr).includes(text)) resolve();
        };
        listeners.add(look);
        look();
      }),
    stop: async () => {
      ctrlC.abort("interrupted");
      return await ended;
    },
  };
}

describe("parley tail", () => {
  it("prints what becomes of events as it happens, until Ctrl-C", async () => {
    const tail = follow();
    await tail.said(`Following ${url}; Ctrl-C ends it.\n`);
    await admin.bury({ id: "slack:\u001b1" }, "it failed");
    await tail.said("it failed");
    const { code, stdout } = await tail.stop();
    expect(code).toBe(130);
    expect(stdout.replaceAll(/^\d\d:\d\d:\d\d/gm, "TIME").split("\n")).toEqual([
      "TIME  accepted   slack:\\u{1b}1",
      "TIME  claimed    slack:\\u{1b}1",
      "TIME  dead       slack:\\u{1b}1  it failed",
      "",
    ]);
  });

  it("prints only what was asked for, as JSON for a program", async () => {
    const tail = follow(["--json", "--platform", "slack", "--tenant", "slack:T1", "--state", "dead"]);
    await tail.said("Following");
    await admin.bury({ id: "telegram:1", platform: "telegram" });
    await admin.bury({ id: "slack:2" }, "gave \u009bup");
    await tail.said("slack:2");
    const { stdout } = await tail.stop();
    expect(JSON.parse(stdout)).toMatchObject({ id: "slack:2", state: "dead", detail: "gave \u009bup" });
    expect(stdout).not.toContain("\u009b");
  });

  it("comes back when the gateway does", async () => {
    const streams: ServerResponse[] = [];
    let requests = 0;
    const server = createServer((_, answer) => {
      // What a proxy says while there is no gateway behind it.
      if (++requests === 2) return answer.writeHead(404, { "content-type": "text/html" }).end("<html>");
      streams.push(answer);
      return answer
        .writeHead(200, { "content-type": "text/event-stream" })
        .write("retry: 1000\n: watching\n\n");
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const tail = follow([], `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await tail.said("Following");
    streams[0]?.write(": this gateway is going down\n\nevent: missed\n");
    streams[0]?.end('data: {"missed":7}\n\n');
    await tail.said("Connected again.\n");
    streams[1]?.destroy();
    const { code, stderr } = await Promise.race([
      tail.ended,
      tail
        .said("again in 1 s.\nConnected again.\nThe connection is lost; trying again in 0.5 s.")
        .then(() => tail.stop()),
    ]);
    expect(code).toBe(130);
    expect(stderr).toContain("The gateway says: this gateway is going down\n");
    expect(stderr).toContain("7 changes came too fast and are left out here.\n");
  });

  it("ends with 69 when there is nobody, and with 2 when it is not understood", async () => {
    expect(await follow([], "http://127.0.0.1:9").ended).toMatchObject({ code: 69 });
    expect(await follow(["--platform", "slak"]).ended).toMatchObject({
      code: 2,
      stderr:
        `parley: expected --platform to be one of ${PLATFORMS.join(", ")}, got slak` +
        " (did you mean slack?)\n",
    });
  });

  it.each([
    [
      ["--state", "deed"],
      "expected --state to be one of accepted, duplicate, refused,",
      "got deed (did you mean dead?)",
    ],
    [["--state", "dead,"], "expected --state to be one of accepted,", "got nothing"],
    [
      ["--refused", "--outcome", "forgd"],
      "expected --outcome to be one of duplicate, refused,",
      "got forgd (did you mean forged?)",
    ],
    [
      ["--refused", "--state", "dead"],
      "expected --outcome, --platform or --since with --refused",
      "got --state",
    ],
    [["--outcome", "forged"], "expected --refused with --outcome", "got --outcome alone"],
  ] as const)("follows nothing that cannot come: %o", async (args, expected, got) => {
    const { code, stderr } = await follow(args).ended;
    expect(code).toBe(2);
    expect(stderr).toContain(expected);
    expect(stderr).toContain(got);
  });

  it("shows requests that are refused, as they come", async () => {
    const tail = follow(["--refused", "--outcome", "forged,ignored"]);
    await tail.said("Following");
    const noted = {
      requestId: "req_1",
      platform: "slack",
      peer: "192.0.2.9",
      eventId: null,
      conversation: null,
    } as const;
    admin.recorder.note({ ...noted, outcome: "stale", reason: "old" });
    admin.recorder.note({ ...noted, outcome: "forged", reason: "missing X-Slack-Signature" });
    admin.recorder.note({
      ...noted,
      outcome: "ignored",
      reason: "not_addressed",
      requestId: "req_2",
      peer: null,
    });
    await tail.said("req_2");
    const { stdout } = await tail.stop();
    expect(stdout.replaceAll(/^\d\d:\d\d:\d\d/gm, "TIME").split("\n")).toEqual([
      "TIME  forged  slack  req_1  from 192.0.2.9  missing X-Slack-Signature",
      "TIME  ignored  slack  req_2  not_addressed",
      "",
    ]);
  });
});
