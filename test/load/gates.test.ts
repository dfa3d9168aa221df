import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { drive } from "./drive.ts";
import { broken, GATE_NAMES, gates, measured, shortened, usersAt } from "./gates.ts";

it("people come and go by the stages of a gate", () => {
  const stages = gates().spike.users ?? [];
  expect([0, 60, 120, 270, 420, 480, 540].map((second) => usersAt(stages, second))).toEqual([
    0,
    5,
    10,
    30,
    50,
    25,
    null,
  ]);
  expect(usersAt(shortened(gates().spike, 0.1).users ?? [], 12)).toBe(10);
});

it("a gate is broken by what is late, what failed, and what was not sent", () => {
  const gate = { what: "", per_second: 100, seconds: 1, p95_ms: 250, failed: 0.01 };
  const fast = Array.from({ length: 100 }, () => 10);
  expect(broken(gate, measured(fast, {}, 1))).toEqual([]);
  expect(broken(gate, measured([...fast.slice(10), ...Array(10).fill(300)], {}, 1))).toEqual([
    "P95 is 300 ms, at most 250 expected",
  ]);
  expect(broken(gate, measured(fast, { "status 503": 2 }, 1))).toEqual([
    "1.96 % failed, at most 1 % expected",
  ]);
  expect(broken(gate, measured(fast.slice(50), {}, 1))).toEqual([
    "50 were sent in 1 s, at least 98 expected",
  ]);
  expect(broken(gate, measured([], {}, 1))).not.toEqual([]);
});

it("what is sent is measured, and what is refused is told by its status", async () => {
  let count = 0;
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    outgoing.writeHead(++count % 10 === 0 ? 503 : 200).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const result = await drive({
    gate: { what: "", per_second: 1000, seconds: 0.1, p95_ms: 1000, failed: 0 },
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    webhook: (n) => ({ method: "POST", path: "/", headers: {}, body: String(n) }),
    nowMs: () => performance.now(),
    sleep: () => new Promise((resolve) => setImmediate(resolve)),
  });
  server.close();
  expect(result).toMatchObject({ sent: 100, failed: 10, causes: { "status 503": 10 } });
});

/** The script as k6 would run it, with what k6 brings. */
function k6(gate: string) {
  const source = readFileSync(new URL("../../deploy/load/k6.js", import.meta.url), "utf8");
  const script = source
    .replace(/^import .* from "k6.*";$/gm, "")
    .replace("export const options", "const options")
    .replace("export default function", "function iteration");
  const posted: { url: string; body: string; headers: Record<string, string> }[] = [];
  const brought = {
    open: (path: string) => readFileSync(new URL(`../../deploy/load/${path}`, import.meta.url), "utf8"),
    __ENV: { GATE: gate, URL: "http://gateway", SLACK_SIGNING_SECRET: "s" },
    check: (answer: unknown, checks: Record<string, (answer: unknown) => boolean>) =>
      Object.values(checks).every((one) => one(answer)),
    sleep: () => {},
    crypto: {
      hmac: (hash: string, secret: string, text: string, form: "hex") =>
        createHmac(hash, secret).update(text).digest(form),
    },
    exec: { scenario: { iterationInTest: 7 } },
    http: {
      post(url: string, body: string, { headers }: { headers: Record<string, string> }) {
        posted.push({ url, body, headers });
        return { status: 200 };
      },
    },
  };
  const run = runInNewContext(`${script}\n;({ options, iteration })`, brought);
  return { ...(run as { options: object; iteration: () => void }), posted };
}

it.each(GATE_NAMES)("k6 has the load and the thresholds of %s, and signs as the platform does", (name) => {
  const gate = gates()[name];
  const { options, iteration, posted } = k6(name);
  expect(options).toMatchObject({
    scenarios: { gate: { executor: gate.users ? "ramping-vus" : "constant-arrival-rate" } },
    thresholds: { http_req_duration: [`p(95)<${gate.p95_ms}`], http_req_failed: [`rate<=${gate.failed}`] },
  });
  iteration();
  const [{ url, body, headers } = { url: "", body: "", headers: {} as Record<string, string> }] = posted;
  const base = `v0:${headers["x-slack-request-timestamp"]}:${body}`;
  expect([url, headers["x-slack-signature"]]).toEqual([
    "http://gateway/webhooks/slack",
    `v0=${createHmac("sha256", "s").update(base).digest("hex")}`,
  ]);
  expect(JSON.parse(body)).toMatchObject({
    event: { user: "U0000007", channel: "D0000007", channel_type: "im" },
  });
});
