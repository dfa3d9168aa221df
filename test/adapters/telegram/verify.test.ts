import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SECRET_HEADER, verifyRequest } from "../../../adapters/telegram/verify.ts";
import { post, secretOf, WEBHOOK_SECRET } from "./setup.ts";

const secrets = [secretOf(WEBHOOK_SECRET)];
const verify = (given: string, among = secrets) =>
  verifyRequest(post("{}", { [SECRET_HEADER]: given }), among);

describe("the secret token", () => {
  it("is genuine when it is the one that setWebhook was given", () => {
    expect(verify(WEBHOOK_SECRET).kind).toBe("genuine");
  });

  it("may be either of two during a rotation", () => {
    const both = [secretOf("old"), secretOf("new")];
    expect(verify("old", both).kind).toBe("genuine");
    expect(verify("new", both).kind).toBe("genuine");
    expect(verify("older", both).kind).toBe("forged");
  });

  it("is missed when the header is absent", () => {
    expect(verifyRequest(post("{}", {}), secrets).kind).toBe("forged");
  });

  it.each([
    "",
    " ",
    WEBHOOK_SECRET.toUpperCase(),
    ` ${WEBHOOK_SECRET}`,
    `${WEBHOOK_SECRET} `,
    `${WEBHOOK_SECRET}, ${WEBHOOK_SECRET}`,
    WEBHOOK_SECRET.slice(1),
    `${WEBHOOK_SECRET}1`,
    "webhook_secret\u20111",
    "***",
    "undefined",
  ])("is forged when it is %j", (given) => {
    expect(verify(given).kind).toBe("forged");
  });

  it("is never matched by nothing, not even where no secret or an empty one is set", () => {
    expect(verify("", [secretOf("")]).kind).toBe("forged");
    expect(verify("anything", []).kind).toBe("forged");
  });

  it("is forged for any other text, and no text makes it throw", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (given) => {
        expect(verify(given).kind).toBe(given === WEBHOOK_SECRET ? "genuine" : "forged");
      }),
    );
  });
});
