import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Guesses, networkOf } from "../../src/ingress/guesses.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { countOf } from "../support/metrics.ts";

function open() {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: "info" }, { write: (line) => lines.push(JSON.parse(line)) });
  const guesses = new Guesses({ clock, log, metrics });
  let last = 0;
  const wrong = (peer: string, door: "admin" | "developer" = "admin") =>
    guesses.refuse(door, { requestId: `req_${++last}`, peer, isGiven: true });
  return { clock, metrics, lines, guesses, wrong };
}

describe("wrong tokens in a row", () => {
  it("are slowed after ten, for each peer and door by itself, and no longer than they last", async () => {
    const { clock, metrics, guesses, wrong } = open();
    for (let i = 0; i < 10; i++) expect(wrong("192.0.2.1")).toBeNull();
    expect(wrong("192.0.2.1")).toBe(6);
    expect(wrong("192.0.2.2")).toBeNull();
    expect(wrong("192.0.2.1", "developer")).toBeNull();
    for (let i = 0; i < 20; i++)
      expect(guesses.refuse("admin", { requestId: "r", peer: "192.0.2.3", isGiven: false })).toBeNull();
    clock.advance(6_000);
    expect(wrong("192.0.2.1")).toBeNull();
    expect(wrong("192.0.2.1")).toBe(6);
    expect(await countOf(metrics, "authFailures", { surface: "admin", answer: "wrong" })).toBe(12);
    expect(await countOf(metrics, "authFailures", { surface: "admin", answer: "slowed" })).toBe(2);
    expect(await countOf(metrics, "authFailures", { surface: "admin", answer: "missing" })).toBe(20);
  });

  it("are logged with their peer, twenty at once and then now and then, with the number left out", async () => {
    const { clock, lines, wrong } = open();
    for (let i = 0; i < 1_000; i++) wrong(`192.0.2.${i % 200}`);
    expect(lines).toHaveLength(20);
    expect(lines[0]).toMatchObject({ msg: "admin.unauthorized", peer: "192.0.2.0", request_id: "req_1" });
    clock.advance(10_000);
    wrong("192.0.2.1");
    expect(lines).toHaveLength(21);
    expect(lines[20]).toMatchObject({ level: 40, left_out: 980 });
  });

  it("of more peers than are remembered leave only the latest, and few label sets", async () => {
    const { metrics, wrong } = open();
    for (let i = 0; i < 5_000; i++) wrong(`2001:db8:${i.toString(16)}:1::1`);
    const { values } = await metrics.authFailures.get();
    expect(values).toHaveLength(1);
  });

  it("from one IPv6 network are those of one peer", () => {
    const { wrong } = open();
    for (let i = 0; i < 10; i++) expect(wrong(`2001:db8:1:2::${i}`)).toBeNull();
    expect(wrong("2001:db8:1:2:aaaa:bbbb:cccc:dddd")).toBe(6);
    expect(wrong("2001:db8:1:3::1")).toBeNull();
  });
});

it.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:DB8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:db8::6", "2001:db8:0:0::/64"],
  ["2001:db8:0:0:1::", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["::", "0:0:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["", ""],
])("%s is counted as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
