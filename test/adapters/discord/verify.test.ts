import { createPublicKey, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { discordSampler } from "../../../adapters/discord/sample.ts";
import { createVerifier } from "../../../adapters/discord/verify.ts";
import { rawRequest, withFlippedByte, withHeader } from "../../contract/raw-request.ts";
import {
  FIXTURES,
  fixture,
  NOW_MS,
  OTHER_PUBLIC_KEY,
  OTHER_SEED,
  PUBLIC_KEY,
  request,
  SEED,
  signed,
  verifyDiscord,
} from "./fixture.ts";

const SIGNATURE = "x-signature-ed25519";
const TIMESTAMP = "x-signature-timestamp";

describe("Discord's signature", () => {
  it("accepts the known vector", () => {
    const ping = request('{"type":1}', {
      [SIGNATURE]:
        "8b16d016e93850c086ec981aa041545464a1ceb464dabb7282e1e21a83a9435b453467a1d429047b601848c3933da4285802fb1334c76eb4b08cbbcceb77010d",
      [TIMESTAMP]: "1717000000",
    });
    expect(verifyDiscord(ping).kind).toBe("genuine");
  });

  it.each(FIXTURES)("accepts the recorded %s", (name) => {
    expect(verifyDiscord(fixture(name)).kind).toBe("genuine");
  });

  it.each(discordSampler.kinds)("accepts a %s sample, which another library signed", (kind) => {
    const sample = discordSampler.build({ kind, text: "héllo 👍", id: "1", nowMs: NOW_MS, secret: SEED });
    expect(verifyDiscord(rawRequest(sample, { nowMs: NOW_MS })).kind).toBe("genuine");
  });

  it("agrees with the other library about any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (bytes, timestamp) => {
        expect(verifyDiscord(signed(Buffer.from(bytes), String(timestamp))).kind).toBe("genuine");
        expect(verifyDiscord(signed(Buffer.from(bytes), String(timestamp), OTHER_SEED)).kind).toBe("forged");
      }),
      // The other library takes milliseconds for each signature.
      { numRuns: 25 },
    );
  });

  it("accepts either of two live keys, and no third", () => {
    const both = createVerifier([OTHER_PUBLIC_KEY, PUBLIC_KEY]);
    expect(both(fixture("slash")).kind).toBe("genuine");
    expect(both(signed(Buffer.from("{}"), "1", OTHER_SEED)).kind).toBe("genuine");
    expect(both(signed(Buffer.from("{}"), "1", "11".repeat(32))).kind).toBe("forged");
  });

  it("does not mind the age of a request, nor the case of its hex", () => {
    expect(verifyDiscord({ ...fixture("slash"), receivedAtMs: NOW_MS + 10 * 86_400_000 }).kind).toBe(
      "genuine",
    );
    const upper = fixture("slash").header(SIGNATURE)?.toUpperCase();
    expect(verifyDiscord(withHeader(fixture("slash"), SIGNATURE, upper)).kind).toBe("genuine");
  });

  it("refuses a request cut at another place between timestamp and body", () => {
    // The signed bytes are the same; but only digits may be the timestamp, and JSON does not begin with a digit.
    const genuine = signed(Buffer.from('{"a":{}}'), "1717000000");
    expect(verifyDiscord(genuine).kind).toBe("genuine");
    const cut = { ...withHeader(genuine, TIMESTAMP, '1717000000{"a":'), body: Buffer.from("{}}") };
    expect(verifyDiscord(cut).kind).toBe("forged");
  });

  it("refuses a thousand forgeries without throwing", () => {
    const genuine = fixture("slash");
    const hex = fc.stringMatching(/^[0-9a-f]{128}$/);
    const header = fc.oneof(
      hex,
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.constantFrom(
        "",
        " ",
        "0x",
        "undefined",
        "é".repeat(64),
        `${"0".repeat(128)}\n`,
        "a".repeat(100_000),
      ),
    );
    const forgery = fc.oneof(
      header.map((value) => withHeader(genuine, SIGNATURE, value)),
      header.map((value) => withHeader(genuine, TIMESTAMP, value)),
      fc.tuple(header, header).map(([a, b]) => withHeader(withHeader(genuine, SIGNATURE, a), TIMESTAMP, b)),
      fc.nat(genuine.body.length - 1).map((index) => withFlippedByte(genuine, index)),
      fc.uint8Array({ maxLength: 400 }).map((bytes) => ({ ...genuine, body: Buffer.from(bytes) })),
      fc.constantFrom(SIGNATURE, TIMESTAMP).map((name) => withHeader(genuine, name, undefined)),
    );
    fc.assert(
      fc.property(forgery, (request) => {
        expect(verifyDiscord(request).kind).toBe("forged");
      }),
      { numRuns: 1_000 },
    );
  });

  it("refuses every single changed bit of the signature", () => {
    const signature = Buffer.from(fixture("slash").header(SIGNATURE) ?? "", "hex");
    for (let bit = 0; bit < signature.length * 8; bit++) {
      const changed = Buffer.from(signature);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verifyDiscord(withHeader(fixture("slash"), SIGNATURE, changed.toString("hex"))).kind).toBe(
        "forged",
      );
    }
  });
});

describe("the public key", () => {
  it.each([
    [[], "Expected 1 or 2 Discord public keys, got 0"],
    [[PUBLIC_KEY, PUBLIC_KEY, PUBLIC_KEY], "Expected 1 or 2 Discord public keys, got 3"],
    [["abc"], "Expected Discord public key 1 to be 64 hexadecimal digits, got 3 characters"],
    [[PUBLIC_KEY, `${PUBLIC_KEY}0`], "Expected Discord public key 2 to be 64 hexadecimal digits, got 65"],
    [["z".repeat(64)], "got 64 characters, not all of them hexadecimal"],
    [["0".repeat(64)], "Expected Discord public key 1, got zeros"],
    [[`01${"0".repeat(62)}`], "Expected Discord public key 1, got a point of small order"],
    [[PUBLIC_KEY, `EC${"F".repeat(60)}FF`], "Expected Discord public key 2, got a point of small order"],
    [["c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"], "small order"],
  ])("is refused with a reason: %j", (keys, message) => {
    expect(() => createVerifier(keys)).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID", message: expect.stringContaining(message) }),
    );
  });
});

/** Node 24's OpenSSL refuses them by itself; the OpenSSL of Node 20 takes one in five. */
it("signatures that anybody could guess are refused by the library, too", () => {
  const points = ["00", "01"].map((first) => first + "00".repeat(31));
  points.push(`ec${"ff".repeat(30)}7f`, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
  for (const point of points) {
    const key = createPublicKey({
      key: Buffer.from(`302a300506032b6570032100${point}`, "hex"),
      format: "der",
      type: "spki",
    });
    for (const nonce of points) {
      const guessed = Buffer.from(nonce + "00".repeat(32), "hex");
      for (let at = 0; at < 32; at++) {
        expect(verify(null, Buffer.from(`17170000${at}{}`), key, guessed)).toBe(false);
      }
    }
  }
});

describe("the sampler", () => {
  const options = { kind: "slash", text: "hi", id: "evt-1", nowMs: NOW_MS, secret: SEED };

  it("gives the same id the same interaction, whenever it is sent", () => {
    const idOf = (over: object) =>
      JSON.parse(discordSampler.build({ ...options, ...over }).body).id as string;
    expect(idOf({ nowMs: NOW_MS + 60_000 })).toBe(idOf({}));
    expect(idOf({ id: "evt-2" })).not.toBe(idOf({}));
    expect(idOf({ id: "1100000000000000001" })).toBe("1100000000000000001");
  });

  it("says which kinds and secrets it takes", () => {
    expect(() => discordSampler.build({ ...options, kind: "nope" })).toThrow(
      "Expected kind to be one of slash",
    );
    expect(() => discordSampler.build({ ...options, secret: "nope" })).toThrow("64 hexadecimal digits");
  });
});
