import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSlackAdapter } from "../../../adapters/slack/adapter.ts";
import type { RawRequest } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { rawRequest, withFlippedByte, withHeader } from "../../contract/raw-request.ts";
import { slackSigned } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";
import {
  adapterOf,
  FIXTURES,
  fixture,
  messageBody,
  NOW_MS,
  OTHER_SECRET,
  request,
  SECRET,
  TOKEN,
} from "./setup.ts";

const SIGNATURE = "x-slack-signature";
const TIMESTAMP = "x-slack-request-timestamp";

const adapter = adapterOf();
const signedBy = (secret: string): RawRequest => {
  const signed = slackSigned(messageBody(), { secret, nowMs: NOW_MS });
  return rawRequest({ method: "POST", path: "/webhooks/slack", ...signed }, { nowMs: NOW_MS });
};

describe("a genuine request", () => {
  it("is the signed example of Slack's documentation", () => {
    const official = fixture("slash-official");
    expect(official.header(SIGNATURE)).toBe(
      "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    );
    expect(adapter.verify(official).kind).toBe("genuine");
  });

  it.each(FIXTURES.filter((name) => name !== "ssl-check"))("is the recorded %s", (name) => {
    expect(adapter.verify(fixture(name)).kind).toBe("genuine");
  });

  it("may be signed with either of two live secrets", () => {
    const both = adapterOf({ signingSecrets: [new Secret(OTHER_SECRET), new Secret(SECRET)] });
    expect(both.verify(signedBy(SECRET)).kind).toBe("genuine");
    expect(both.verify(signedBy(OTHER_SECRET)).kind).toBe("genuine");
    expect(both.verify(signedBy("a third one")).kind).toBe("forged");
    expect(adapter.verify(signedBy(OTHER_SECRET)).kind).toBe("forged");
  });

  it("may hold bytes that are no text", () => {
    const body = "\u00ff\u0000 ünïcode 👍";
    expect(adapter.verify(request(body)).kind).toBe("genuine");
  });
});

describe("a tampered request", () => {
  it("is refused whichever byte of the body was changed", () => {
    const official = fixture("slash-official");
    for (let index = 0; index < official.body.length; index++)
      expect(adapter.verify(withFlippedByte(official, index)).kind).toBe("forged");
  });

  it("is refused whichever digit of the signature was changed", () => {
    const official = fixture("slash-official");
    const signature = official.header(SIGNATURE) ?? "";
    for (let index = 0; index < signature.length; index++) {
      const digit = signature[index] === "0" ? "1" : "0";
      const changed = signature.slice(0, index) + digit + signature.slice(index + 1);
      if (changed !== signature)
        expect(adapter.verify(withHeader(official, SIGNATURE, changed)).kind).toBe("forged");
    }
  });

  it("is refused when its time was moved within the window", () => {
    const official = fixture("slash-official");
    expect(adapter.verify(withHeader(official, TIMESTAMP, "1531420619")).kind).toBe("forged");
  });

  it("is refused a thousand times over, whatever its headers hold", { timeout: 60_000 }, () => {
    const genuine = request(messageBody());
    const value = fc.oneof(
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.stringMatching(/^[0-9a-fA-Fv=]{0,80}$/),
      fc.stringMatching(/^v0=[0-9a-f]{64}$/),
      fc.constantFrom("v0=", "v1=", "", " ", "NaN", "-1", "1e9", "Infinity", `0x${"f".repeat(62)}`),
    );
    const time = fc.oneof(value, fc.constant(String(NOW_MS / 1000)), fc.constant(` ${NOW_MS / 1000}`));
    fc.assert(
      fc.property(
        fc.option(value, { nil: undefined }),
        fc.option(time, { nil: undefined }),
        (signature, timestamp) => {
          const forged = withHeader(withHeader(genuine, SIGNATURE, signature), TIMESTAMP, timestamp);
          expect(["forged", "stale"]).toContain(adapter.verify(forged).kind);
        },
      ),
      { numRuns: 1_000, seed: 1 },
    );
  });

  it.each([
    ["seconds with a fraction", `${NOW_MS / 1000}.0`],
    ["an exponent", `${NOW_MS / 1e9}e6`],
    ["a sign", `+${NOW_MS / 1000}`],
    ["a space", `${NOW_MS / 1000} `],
    ["two headers", `${NOW_MS / 1000}, ${NOW_MS / 1000}`],
    ["hexadecimal", `0x${(NOW_MS / 1000).toString(16)}`],
  ])("is refused when its time is written with %s, even if signed so", (_, timestamp) => {
    const genuine = request(messageBody());
    expect(adapter.verify(withHeader(genuine, TIMESTAMP, timestamp)).kind).toBe("forged");
  });
});

describe("the replay window", () => {
  it.each([
    ["300 s old", 300, "genuine"],
    ["301 s old", 301, "stale"],
    ["300 s ahead", -300, "genuine"],
    ["301 s ahead", -301, "stale"],
    ["a year old", 31_536_000, "stale"],
  ] as const)("takes a request that is %s for %s", (_, seconds, verdict) => {
    const genuine = request(messageBody());
    const judged = adapter.verify({ ...genuine, receivedAtMs: NOW_MS + seconds * 1000 });
    expect(judged.kind).toBe(verdict);
    // Which of the two clocks is wrong is the first thing to ask.
    const how = seconds > 0 ? "more than 300 s old" : "more than 300 s ahead of this clock";
    if ("reason" in judged) expect(judged.reason).toBe(`X-Slack-Request-Timestamp is ${how}`);
  });
});

describe("Slack's certificate check", () => {
  it("gets its 200 without a signature", () => {
    const probe = withHeader(fixture("ssl-check"), "content-length", "70");
    expect([adapter.screen(probe), adapter.verify(probe).kind]).toEqual([null, "probe"]);
    for (const length of ["2049", "9999999", undefined])
      expect(adapter.screen(withHeader(probe, "content-length", length))?.kind).toBe("forged");
  });

  it.each([
    ["half a signature", withHeader(fixture("ssl-check"), TIMESTAMP, String(NOW_MS / 1000))],
    ["JSON", withHeader(fixture("ssl-check"), "content-type", "application/json")],
    ["another value", { ...fixture("ssl-check"), body: Buffer.from("ssl_check=10") }],
    ["a field of another name", { ...fixture("ssl-check"), body: Buffer.from("no_ssl_check=1") }],
    ["a long body", { ...fixture("ssl-check"), body: Buffer.from(`ssl_check=1&${"a".repeat(5_000)}`) }],
  ] as const)("is not one with %s", (_, probe) => {
    expect(adapter.verify(probe).kind).toBe("forged");
  });
});

describe("the options", () => {
  const options = { botToken: new Secret(TOKEN), clock: new FakeClock(), timeoutMs: 1_000 };
  it.each([
    ["no signing secret", { signingSecrets: [] }],
    ["an empty signing secret", { signingSecrets: [new Secret(SECRET), new Secret("")] }],
    [
      "three signing secrets",
      { signingSecrets: [SECRET, SECRET, SECRET].map((secret) => new Secret(secret)) },
    ],
    ["an empty token", { signingSecrets: [new Secret(SECRET)], botToken: new Secret("") }],
    ["an API that is no URL", { signingSecrets: [new Secret(SECRET)], apiUrl: "slack.com/api/" }],
  ])("refuse %s", (_, wrong) => {
    expect(() => createSlackAdapter({ ...options, ...wrong })).toThrow(/^Expected /);
  });
});
