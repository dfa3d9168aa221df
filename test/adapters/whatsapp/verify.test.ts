import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/shared/secret.ts";
import { adapterOf, fixture, get, post } from "./setup.ts";

const VECTOR = {
  body: '{"object":"whatsapp_business_account","entry":[]}',
  signature: "sha256=09eceea024af6e6343b760cc9bd3ae7c056938dd636e24e92109eb8219500384",
};

function signed(body: string, secret: string) {
  const hex = createHmac("sha256", secret).update(body).digest("hex");
  return post(body, { "x-hub-signature-256": `sha256=${hex}` });
}

describe("the signature of a POST", () => {
  const adapter = adapterOf();

  it("holds for the reference vector", () => {
    expect(adapter.verify(post(VECTOR.body, { "x-hub-signature-256": VECTOR.signature })).kind).toBe(
      "genuine",
    );
  });

  it("is over the bytes as received, escapes included", () => {
    expect(adapter.verify(signed('{"a":"\\u00e9\\/"}', "appsecret")).kind).toBe("genuine");
    const other = post('{"a":"é/"}', {
      "x-hub-signature-256": signed('{"a":"\\u00e9\\/"}', "appsecret").header("x-hub-signature-256") ?? "",
    });
    expect(adapter.verify(other).kind).toBe("forged");
  });

  it("is genuine under either secret of a rotation, and under no other", () => {
    const rotating = adapterOf({ appSecrets: [new Secret("new"), new Secret("appsecret")] });
    const body = fixture("text");
    expect(rotating.verify(signed(body, "new")).kind).toBe("genuine");
    expect(rotating.verify(signed(body, "appsecret")).kind).toBe("genuine");
    expect(rotating.verify(signed(body, "verify-me")).kind).toBe("forged");
    expect(rotating.verify(signed(body, "")).kind).toBe("forged");
  });

  it("is required in full: prefix, 64 hex digits, nothing else", () => {
    const hex = VECTOR.signature.slice("sha256=".length);
    for (const header of [hex, `sha1=${hex}`, `sha256=${hex} `, ` sha256=${hex}`, `sha256=${hex.slice(2)}`]) {
      expect(adapter.verify(post(VECTOR.body, { "x-hub-signature-256": header })).kind, header).toBe(
        "forged",
      );
    }
    expect(adapter.verify(post(VECTOR.body)).kind).toBe("forged");
    // SHA-1, which Meta sends beside it, proves nothing.
    const sha1 = createHmac("sha1", "appsecret").update(VECTOR.body).digest("hex");
    expect(adapter.verify(post(VECTOR.body, { "x-hub-signature": `sha1=${sha1}` })).kind).toBe("forged");
  });

  it("is not asked of other methods, which are never genuine", () => {
    const request = signed(VECTOR.body, "appsecret");
    for (const method of ["PUT", "DELETE", "HEAD", "post", ""]) {
      expect(adapter.verify({ ...request, method }).kind, method).toBe("forged");
    }
  });

  it("is never genuine for a header made up by chance", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.uint8Array(), (header, body) => {
        const request = post(Buffer.from(body), { "x-hub-signature-256": header });
        expect(adapter.verify(request).kind).toBe("forged");
      }),
    );
  });
});

describe("the handshake", () => {
  const adapter = adapterOf();
  const query = (parts: string) => get(`/webhooks/whatsapp?${parts}`);

  it("with the verify token is answered with the bare challenge", () => {
    const request = query("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=verify-me");
    expect(adapter.verify(request).kind).toBe("genuine");
    expect(adapter.parse(request as never)).toEqual({
      kind: "handshake",
      ack: { status: 200, contentType: "text/plain", body: "1158201444" },
    });
  });

  it.each([
    ["another token", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-you"],
    ["a token cut short", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=verify-m"],
    ["an empty token", "hub.mode=subscribe&hub.challenge=1&hub.verify_token="],
    ["no token", "hub.mode=subscribe&hub.challenge=1"],
    ["two tokens", "hub.mode=subscribe&hub.challenge=1&hub.verify_token=x&hub.verify_token=verify-me"],
    ["another mode", "hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=verify-me"],
    ["no mode", "hub.challenge=1&hub.verify_token=verify-me"],
    ["nested keys", "hub[mode]=subscribe&hub[challenge]=1&hub[verify_token]=verify-me"],
    ["underscored keys", "hub_mode=subscribe&hub_challenge=1&hub_verify_token=verify-me"],
    ["nothing", ""],
  ])("with %s is refused", (_, parts) => {
    const cause = parts.startsWith("hub.mode=subscribe")
      ? /^missing|does not match/
      : "hub.mode is not subscribe";
    expect(adapter.verify(query(parts))).toEqual({ kind: "refused", reason: expect.stringMatching(cause) });
  });

  it("is refused, not thrown at, for targets that are no URL", () => {
    for (const target of ["", "//", "http://", "?", "/%", "/?%", "*", "/webhooks/whatsapp"]) {
      expect(adapter.verify(get(target)).kind, target).toBe("refused");
    }
  });

  it.each([
    ["no challenge", ""],
    ["an empty challenge", "hub.challenge="],
    ["a challenge with line breaks", "hub.challenge=a%0d%0ab"],
    ["an endless challenge", `hub.challenge=${"1".repeat(257)}`],
  ])("with %s is malformed", (_, parts) => {
    const inbound = adapter.parse(query(`hub.mode=subscribe&hub.verify_token=verify-me&${parts}`) as never);
    expect(inbound.kind).toBe("malformed");
  });
});

describe("the options", () => {
  it.each([
    ["no app secret", { appSecrets: [] }],
    ["an empty app secret", { appSecrets: [new Secret("a"), new Secret("")] }],
    ["three app secrets", { appSecrets: [new Secret("a"), new Secret("b"), new Secret("c")] }],
    ["an empty verify token", { verifyToken: new Secret("") }],
    ["an empty access token", { accessToken: new Secret("") }],
    ["an empty phone number id", { phoneNumberId: "" }],
  ])("with %s are refused", (_, over) => {
    expect(() => adapterOf(over)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
