import { expect, it } from "vitest";
import { Secret } from "../../src/shared/secret.ts";
import { isWebhookSecret, webhookHeaders } from "../../src/shared/standard-webhooks.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

it("signs as the example of the specification does", () => {
  const message = {
    id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
    timestampSeconds: 1_614_265_330,
    body: '{"test": 2432232314}',
  };
  expect(webhookHeaders(message, new Secret(SECRET))).toEqual({
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

it.each([
  [SECRET, true],
  ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false],
  ["whsec_c2hvcnQ=", false],
  ["whsec_not base64 not base64 not base64", false],
  ["", false],
])("%j is a secret: %s", (text, is) => {
  expect(isWebhookSecret(text)).toBe(is);
});
