import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SampleRequest, Sampler } from "../../adapters/shared/sample.ts";
import { RunAborted } from "../../src/domain/abort.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Delivery, ReplyPart } from "../../src/domain/reply.ts";
import type { Adapter, RawRequest } from "../../src/ports/adapter.ts";
import { type CallOutcome, hearCalls, type PlatformCall } from "../../src/shared/platform-calls.ts";
import { type FakeAnswer, type FakeCall, type FakeServer, type Fault, fakeServer } from "../fakes/server.ts";
import { buttonsContract, type ShownButton } from "./adapter-buttons.ts";
import { type FilesUnderTest, filesContract } from "./adapter-files.ts";
import { growingContract } from "./adapter-growing.ts";
import { outgoingContract } from "./adapter-outgoing.ts";
import { asVerified, rawRequest, withFlippedByte, withHeader } from "./raw-request.ts";

/** What a platform's suite tells the contract about it. */
export interface AdapterCase {
  /** A new adapter whose calls time out after `timeoutMs`, and a new fake of its platform behind it. */
  readonly setUp: (options: { timeoutMs: number }) => Promise<AdapterUnderTest>;
  readonly sampler: Sampler;
  /** Kinds of sample that become one event whose text is exactly the sample's text. The first is sent replies. */
  readonly eventKinds: readonly string[];
  /** What signs genuine samples, and one of the same form that nobody trusts. */
  readonly secret: string;
  readonly otherSecret: string;
  /** Lower-case names of the headers without which nothing is genuine; none where that stands in the body. */
  readonly authHeaders: readonly string[];
  /** Where that stands in the body: the sample with another token, or without any. */
  readonly withToken?: (sample: SampleRequest, token: string | null) => SampleRequest;
  /** The short list from which the adapter tells why it turned a request away. */
  readonly reasons: readonly string[];
  /** False where a shared secret is all there is (Telegram). */
  readonly signsBody: boolean;
  /** The longest text of one message, in UTF-16 units; Infinity: a message has none. */
  readonly textCharsMax: number;
  /** False: there is nothing to ask of it without saying something. */
  readonly isProbed?: false;
  /** A longer answer is one message and a file; absent: all are messages. */
  readonly filesOver?: number;
  /** Which of the calls says something, where it takes others to say it, such as a look at the thread; absent: each does. */
  readonly says?: (call: Pick<FakeCall, "method" | "path">) => boolean;
  /** What must never leave the adapter as it is, because it would ping people: `<!channel>`. May be empty. */
  readonly liveMentions: readonly string[];
  /** How the platform says "wait `seconds`" and "no, for good". */
  readonly rateLimited: (seconds: number) => FakeAnswer;
  readonly rejected: FakeAnswer;
  /** How it says that our credentials are not taken any more; after answers that lead to where they are needed. */
  readonly refused: readonly FakeAnswer[];
  /** Of what kind a sample is whose answer is shown while it grows; absent: none is. */
  readonly growsFor?: string;
  /** Absent: it has no buttons. */
  readonly buttons?: {
    readonly max: number;
    /** A press on a button that stands below the answer to this event. */
    press(button: ShownButton, event: TriggerEvent): SampleRequest;
  };
  /** Tokens and secrets that must never show in an error. */
  readonly credentials: readonly string[];
}

interface AdapterUnderTest {
  readonly adapter: Adapter;
  /** Where answers grow: another process, and somebody who deletes all that was said. */
  readonly another?: () => Adapter;
  readonly deleteAll?: () => void;
  readonly fake: FakeServer;
  /** The text a part would show; null: it is a file alone. */
  textOf(part: ReplyPart): string | null;
  /** Where it sends files: those that people see; and from now on none is taken. */
  readonly files?: FilesUnderTest["files"];
  readonly refuseFiles?: FilesUnderTest["refuseFiles"];
  /** What people can read, oldest first, and in which place (as in TriggerEvent.place). */
  said(): readonly { readonly place: string; readonly text: string }[];
  /** Below each message; absent: there are never any. */
  buttons?(): readonly (readonly ShownButton[])[];
}

const NOW_MS = 1_780_000_000_000;

/** The one suite of the Adapter port: every platform runs it against its fake. */
export function adapterContract(name: string, platform: AdapterCase): void {
  describe(`adapter contract: ${name}`, () => {
    let under: AdapterUnderTest;
    beforeEach(async () => {
      under = await platform.setUp({ timeoutMs: 30_000 });
    });
    const setUpAgain = async (timeoutMs: number) => {
      await under.fake.close();
      under = await platform.setUp({ timeoutMs });
    };
    afterEach(() => under.fake.close());

    const kind = platform.eventKinds[0] ?? "";
    const says = platform.says ?? (() => true);
    const built = (over: { kind?: string; text?: string; id?: string; secret?: string } = {}) =>
      platform.sampler.build({
        kind,
        text: "deploy api",
        id: "1",
        nowMs: NOW_MS,
        secret: platform.secret,
        ...over,
      });
    const sample = (over: Parameters<typeof built>[0] = {}): RawRequest =>
      rawRequest(built(over), { nowMs: NOW_MS });
    const parseOne = (request: RawRequest): TriggerEvent => {
      expect(under.adapter.screen(request)).toBe(null);
      expect(under.adapter.verify(request).kind).toBe("genuine");
      const inbound = under.adapter.parse(asVerified(request));
      if (inbound.kind !== "events") throw new Error(`Expected events, got ${inspect(inbound)}`);
      expect(inbound.events).toHaveLength(1);
      return inbound.events[0] as TriggerEvent;
    };
    const deliveryOf = (text: string, over: Partial<Delivery> = {}): Delivery => {
      const to = parseOne(sample()).replyTo;
      const [part, ...rest] = under.adapter.render(text, to);
      if (part === undefined) throw new Error("Expected at least one part, got none");
      expect(rest).toEqual([]);
      return { partId: "event/0", to, part, index: 0, sendsBefore: 0, mayRepeat: false, ...over };
    };
    const never = new AbortController().signal;
    const failureOf = async (delivery: Delivery, signal = never): Promise<DeliveryError> => {
      const error: unknown = await under.adapter.send(delivery, signal).then(
        (receipt) => `sent: ${inspect(receipt)}`,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(DeliveryError);
      for (const credential of platform.credentials)
        expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(credential);
      return error as DeliveryError;
    };

    describe("what comes in", () => {
      it.each(platform.eventKinds)("verifies and parses a genuine %s", (eventKind) => {
        const event = parseOne(sample({ kind: eventKind, text: "wie geht's? 👍 <b> & co" }));
        expect(event.text).toBe("wie geht's? 👍 <b> & co");
        expect(event.platform).toBe(under.adapter.platform);
        expect(event.id.startsWith(`${under.adapter.platform}:`)).toBe(true);
        expect(event.conversation.startsWith(`${under.adapter.platform}:`)).toBe(true);
        expect(event.sender.isBot).toBe(false);
        expect(Math.abs(event.occurredAtMs - NOW_MS)).toBeLessThan(60_000);
      });

      it.each(platform.eventKinds)(
        "gives a %s delivered twice one id, and another one another id",
        (eventKind) => {
          const first = parseOne(sample({ kind: eventKind, id: "7" }));
          const second = parseOne(sample({ kind: eventKind, id: "7" }));
          const other = parseOne(sample({ kind: eventKind, id: "8" }));
          expect(second.id).toBe(first.id);
          expect(second.conversation).toBe(first.conversation);
          expect([first.id, ...first.aliases]).not.toContain(other.id);
        },
      );

      it.each(platform.eventKinds)("takes a %s with an id such as `parley send` makes", (eventKind) => {
        const first = parseOne(sample({ kind: eventKind, id: "3f1c0ffe-0000-4000-8000-00000000000a" }));
        const second = parseOne(sample({ kind: eventKind, id: "3f1c0ffe-0000-4000-8000-00000000000b" }));
        expect([first.id, ...first.aliases]).not.toContain(second.id);
      });

      it("survives storage: an event is plain JSON", () => {
        const event = parseOne(sample());
        expect(JSON.parse(JSON.stringify(event))).toEqual(event);
      });

      it("answers at once with a 2xx", () => {
        const inbound = under.adapter.parse(asVerified(sample()));
        const status = "ack" in inbound ? inbound.ack.status : 0;
        expect(status >= 200 && status < 300).toBe(true);
      });
    });

    describe("what is refused", () => {
      /** A reason is of a short list: it becomes a filter, and text of the request must not get into it. */
      const turnedAway = (request: RawRequest) => {
        const verdict = under.adapter.verify(request);
        if (!("reason" in verdict)) throw new Error(`Expected a reason, got ${inspect(verdict)}`);
        expect(platform.reasons).toContain(verdict.reason);
        // What is refused by its headers alone is refused by verification too, and for the same reason.
        const screened = under.adapter.screen(request);
        if (screened !== null) expect(screened).toEqual(verdict);
        return verdict;
      };

      it.each(platform.authHeaders)("a request without %s, which is named", (header) => {
        for (const value of [undefined, ""]) {
          const { kind, reason } = turnedAway(withHeader(sample(), header, value));
          expect([kind, reason.toLowerCase()]).toEqual(["forged", `missing ${header}`]);
        }
      });

      it.each(platform.authHeaders)("a request without %s before its body is read", (header) => {
        const large = withHeader(sample(), "content-length", String(1024 * 1024));
        expect(under.adapter.screen(withHeader(large, header, undefined))).toMatchObject({ kind: "forged" });
      });

      const { withToken, authHeaders } = platform;
      // Or nothing here would look whether anything is asked at all.
      if (authHeaders.length === 0 && withToken === undefined)
        throw new Error(
          "Expected authHeaders, or withToken of what proves a request in its body, got neither",
        );

      if (authHeaders.length > 0) {
        it("a request without any header", () => {
          const { kind, reason } = turnedAway({ ...sample(), header: () => undefined });
          expect([kind, reason.toLowerCase()]).toEqual(["forged", `missing ${authHeaders[0]}`]);
        });
      }

      if (withToken !== undefined) {
        it.each(platform.eventKinds)("a %s without a token in its body, which is named", (eventKind) => {
          for (const token of [null, ""]) {
            const given = rawRequest(withToken(built({ kind: eventKind }), token), { nowMs: NOW_MS });
            const { kind, reason } = turnedAway(given);
            expect([kind, reason]).toEqual(["forged", expect.stringMatching(/^missing /)]);
          }
        });

        it("a request whose token is garbage, without throwing", () => {
          const { secret } = platform;
          for (const bad of [
            " ",
            "0",
            secret.slice(1),
            secret.slice(0, -1),
            `${secret}0`,
            "a".repeat(100_000),
            "ÿ",
          ])
            turnedAway(rawRequest(withToken(built(), bad), { nowMs: NOW_MS }));
        });
      }

      it("a request signed with another secret, which is told apart from a malformed one", () => {
        const { kind, reason } = turnedAway(sample({ secret: platform.otherSecret }));
        expect([kind, reason]).toEqual(["forged", expect.stringMatching(/ does not match /)]);
      });

      it.each(platform.authHeaders)("a request whose %s is garbage, without throwing", (header) => {
        const value = sample().header(header) ?? "";
        const garbage = [
          "",
          " ",
          "0",
          "zz",
          "=",
          "sha256=",
          "v0=",
          "a".repeat(64),
          "g".repeat(64),
          "a".repeat(100_000),
          "ÿ".repeat(64),
          "\u0000",
          value.slice(0, -1),
          value.slice(1),
          `${value}0`,
          `${value}, ${value}`,
        ];
        for (const bad of garbage) {
          const { kind } = turnedAway(withHeader(sample(), header, bad));
          expect(["forged", "stale"], `${header}: ${bad.slice(0, 80)}`).toContain(kind);
        }
      });

      if (platform.signsBody) {
        it("a request with any byte of its body changed", () => {
          const genuine = sample();
          for (let index = 0; index < genuine.body.length; index++)
            expect(under.adapter.verify(withFlippedByte(genuine, index)).kind).toBe("forged");
        });

        it("a request whose body was cut short, lengthened or emptied", () => {
          const genuine = sample();
          const bodies = [
            genuine.body.subarray(0, -1),
            Buffer.concat([genuine.body, Buffer.from(" ")]),
            Buffer.alloc(0),
          ];
          for (const body of bodies) expect(under.adapter.verify({ ...genuine, body }).kind).toBe("forged");
        });
      }
    });

    describe("what is rendered", () => {
      const paragraphs = Array.from({ length: 400 }, (_, i) => `Paragraph ${i}: ${"some words, ".repeat(8)}`);
      it.each([
        ["nothing", ""],
        ["a blank line", " \n "],
        ["a word", "hello"],
        ["long prose", paragraphs.join("\n\n")],
        ["one endless word", "a".repeat(50_000)],
        ["endless emoji", "👩‍👩‍👧".repeat(5_000)],
        ["a long code block", `\`\`\`ts\n${"const a = 1 && 2 < 3;\n".repeat(2_000)}\`\`\``],
        ["text full of markup", "*_~`<>&|[](#".repeat(3_000)],
      ])("%s becomes messages within the limit, none of them empty", (_, markdown) => {
        const parts = under.adapter.render(markdown, parseOne(sample()).replyTo);
        expect(parts.length).toBeGreaterThan(0);
        for (const part of parts) {
          const text = under.textOf(part);
          if (text === null) continue;
          expect(text.trim()).not.toBe("");
          expect(text.length).toBeLessThanOrEqual(platform.textCharsMax);
          expect(text.isWellFormed()).toBe(true);
        }
      });

      it("long prose keeps every paragraph, in order", () => {
        // As much of it as is said in messages.
        const kept = paragraphs.slice(0, Math.floor((platform.filesOver ?? Infinity) / 120));
        const parts = under.adapter.render(kept.join("\n\n"), parseOne(sample()).replyTo);
        expect(parts.length).toBeGreaterThan(platform.textCharsMax === Infinity ? 0 : 2);
        const numbers = parts.flatMap((part) => [...(under.textOf(part) ?? "").matchAll(/Paragraph (\d+)/g)]);
        expect(numbers.map((match) => Number(match[1]))).toEqual(kept.map((_, i) => i));
      });

      for (const mention of platform.liveMentions) {
        it(`${mention} pings nobody`, () => {
          const to = parseOne(sample()).replyTo;
          const markdown = `hey ${mention} there\n\n- ${mention}\n\n**${mention}**`;
          const text = under.adapter
            .render(markdown, to)
            .map((part) => under.textOf(part))
            .join("\n");
          expect(text).toContain("hey");
          expect(text).not.toContain(mention);
        });
      }
    });

    if (platform.isProbed !== false) {
      describe("a look at its API", () => {
        const look = async () => {
          const findings = (await under.adapter.probe?.(never)) ?? [];
          for (const credential of platform.credentials)
            expect(inspect(findings, { depth: 12 })).not.toContain(credential);
          return findings[0];
        };
        const plays = (fault: Fault) => under.fake.faults.push({ ...fault, times: 9 });

        it("finds that it takes our credentials, and changes nothing", async () => {
          expect(await look()).toMatchObject({ status: "ok", code: null });
          expect(under.said()).toEqual([]);
        });

        it("finds that it refuses them", async () => {
          plays(status(platform.refused.at(-1) ?? {}));
          expect(await look()).toMatchObject({ status: "fail", code: "PLATFORM_REFUSED" });
        });

        it.each<[string, Fault]>([
          ["cuts the connection", { kind: "reset" }],
          ["fails", { kind: "status", status: 503, body: "oops" }],
          ["answers with a page", { kind: "status", status: 200, body: "<html>Welcome</html>" }],
          [
            "answers with a page that is not there",
            { kind: "status", status: 404, body: "<html>Gone</html>" },
          ],
          ["leads elsewhere", { kind: "status", status: 302, headers: { location: "http://127.0.0.1:9/" } }],
        ])("finds that it %s", async (_, fault) => {
          plays(fault);
          const found = {
            status: "fail",
            code: "PLATFORM_UNREACHABLE",
            fix: expect.stringContaining("check the network"),
          };
          expect(await look()).toMatchObject(found);
        });

        it("finds that nobody listens, or that it does not answer in time", async () => {
          await setUpAgain(300);
          plays({ kind: "hang-after" });
          expect(await look()).toMatchObject({ status: "fail", code: "PLATFORM_UNREACHABLE" });
          await under.fake.close();
          expect(await look()).toMatchObject({ status: "fail", code: "PLATFORM_UNREACHABLE" });
        });

        it("says nothing against it when it asks to be called later", async () => {
          plays(status(platform.rateLimited(7)));
          expect(await look()).toMatchObject({ status: "warn", code: null });
        });
      });
    }

    if (platform.filesOver !== undefined) {
      const open = async (timeoutMs = 30_000) => {
        const opened = await platform.setUp({ timeoutMs });
        const { files, refuseFiles } = opened;
        if (files === undefined || refuseFiles === undefined) throw new Error("Expected files of the fake");
        return { under: { ...opened, files, refuseFiles }, event: parseOne(sample()) };
      };
      filesContract(platform.filesOver, open);
      outgoingContract(open);
    }

    if (platform.growsFor !== undefined) {
      const grown = platform.growsFor;
      growingContract(async (timeoutMs = 30_000) => {
        const opened = await platform.setUp({ timeoutMs });
        const { another, deleteAll } = opened;
        if (another === undefined || deleteAll === undefined)
          throw new Error("Expected another process, and somebody who deletes");
        const rateLimited = { ...status(platform.rateLimited(7)), times: 1 };
        const event = parseOne(sample({ kind: grown }));
        return { under: { ...opened, another, deleteAll, rateLimited }, event };
      });
    }

    const shown = platform.buttons;
    if (shown !== undefined) {
      buttonsContract(async () => {
        const opened = await platform.setUp({ timeoutMs: 30_000 });
        await under.fake.close();
        under = opened;
        const event = parseOne(sample());
        return {
          under: { ...opened, buttons: () => opened.buttons?.() ?? [] },
          event,
          press: (button) => parseOne(rawRequest(shown.press(button, event), { nowMs: NOW_MS })),
        };
      }, shown.max);
    }

    describe("what goes out", () => {
      /** Met by what says something, and by no look beforehand. */
      const plays = (fault: Fault) => under.fake.faults.push({ ...fault, match: says });

      it("is said once, where it was asked", async () => {
        const receipt = await under.adapter.send(deliveryOf("Hello, Ann"), never);
        expect(under.said()).toEqual([{ place: parseOne(sample()).place, text: "Hello, Ann" }]);
        expect(receipt.via).not.toBe("");
      });

      it("is counted: each call that the platform gets is told of, with what became of it", async () => {
        const outcomes: [FakeAnswer | null, CallOutcome][] = [
          [null, "ok"],
          [platform.rejected, "refused"],
          [platform.rateLimited(7), "rate_limited"],
          [{ status: 502, body: "a proxy's page" }, "failed"],
        ];
        for (const [answer, outcome] of outcomes) {
          await setUpAgain(30_000);
          const delivery = deliveryOf("Hello, Ann");
          if (answer !== null) plays(status(answer));
          const heard: PlatformCall[] = [];
          const stop = hearCalls((call) => heard.push(call));
          await under.adapter.send(delivery, never).catch(() => {});
          stop();
          expect(heard.length, outcome).toBe(under.fake.calls.length);
          expect(heard.at(-1), outcome).toMatchObject({ platform: under.adapter.platform, outcome });
        }
      });

      it("says so when it may be a repeat", async () => {
        await under.adapter.send(deliveryOf("Hello, Ann", { mayRepeat: true }), never);
        const text = under.said()[0]?.text ?? "";
        expect(text).toContain("Hello, Ann");
        expect(text.length).toBeGreaterThan("Hello, Ann".length);
      });

      it("waits as long as the platform asks", async () => {
        plays(status(platform.rateLimited(7)));
        const error = await failureOf(deliveryOf("Hello, Ann"));
        expect(error).toMatchObject({ kind: "retry", status: 429, retryAfterMs: 7_000 });
        expect(under.said()).toEqual([]);
      });

      it.each([500, 502, 503])("may be tried again after a %i", async (code) => {
        plays({ kind: "status", status: code, body: "<html>oops</html>" });
        expect(await failureOf(deliveryOf("Hello, Ann"))).toMatchObject({ kind: "retry", status: code });
      });

      it("is given up when the platform says no for good", async () => {
        plays(status(platform.rejected));
        expect(await failureOf(deliveryOf("Hello, Ann"))).toMatchObject({ kind: "rejected" });
      });

      it("waits when the platform does not take our credentials, and is said when it does again", async () => {
        for (const answer of platform.refused) plays(status(answer));
        expect(await failureOf(deliveryOf("Hello, Ann"))).toMatchObject({
          kind: "refused",
          code: "PLATFORM_REFUSED",
        });
        expect(under.said()).toEqual([]);
        await under.adapter.send(deliveryOf("Hello, Ann"), never);
        expect(under.said()).toHaveLength(1);
      });

      it("is not said by a sender that finds its job lost when the connection stands", async () => {
        const lost = new RunAborted("lease-lost");
        let asked = 0;
        const permit = {
          leftMs: () => 0,
          renew: () => {
            asked++;
            return Promise.reject(lost);
          },
        };
        const sending = under.adapter.send(deliveryOf("Hello, Ann"), never, permit);
        expect(await sending.catch((error: unknown) => error)).toBe(lost);
        expect(asked).toBe(1);
        expect(under.said()).toEqual([]);
        expect(under.fake.calls.filter(says)).toEqual([]);
      });

      it("is said by a sender that still has its job then", async () => {
        const lefts = [0, 20_000];
        const permit = { leftMs: () => lefts.shift() ?? 20_000, renew: async () => {} };
        await under.adapter.send(deliveryOf("Hello, Ann"), never, permit);
        expect(under.said()).toHaveLength(1);
        expect(lefts).toEqual([]);
      });

      it.each([301, 302, 307, 308])("goes nowhere else when it is answered %i", async (code) => {
        const other = await fakeServer(() => ({ body: { ok: true } }));
        plays({
          kind: "status",
          status: code,
          headers: { location: other.url },
          body: { ok: true, result: { message_id: 1 }, ts: "1.1", id: "1", messages: [{ id: "1" }] },
        });
        expect(await failureOf(deliveryOf("Hello, Ann"))).toMatchObject({ kind: "rejected", status: code });
        expect(other.calls).toEqual([]);
        await other.close();
      });

      it("may be tried again when nobody listens", async () => {
        const delivery = deliveryOf("Hello, Ann");
        await under.fake.close();
        expect(await failureOf(delivery)).toMatchObject({ kind: "retry" });
      });

      it.each(["reset-after", "hang-after"] as const)(
        "is in doubt after a %s, and is still said only once",
        async (fault) => {
          // Only the second waits for the time-out, and neither may run into it before the call has arrived.
          await setUpAgain(fault === "reset-after" ? 60_000 : 2_000);
          const delivery = deliveryOf("Hello, Ann");
          plays({ kind: fault });
          expect(await failureOf(delivery)).toMatchObject({ kind: "unknown" });
          expect(under.said()).toHaveLength(1);

          const found = await under.adapter.recover(delivery, never);
          if (found === "absent" || found === "repeatable")
            await under.adapter.send({ ...delivery, sendsBefore: 1 }, never);
          expect(under.said()).toHaveLength(1);
        },
      );

      it("stops when told to", async () => {
        await setUpAgain(600_000);
        const abort = new AbortController();
        plays({ kind: "hang-after" });
        const failure = failureOf(deliveryOf("Hello, Ann"), abort.signal);
        await under.fake.waitFor((call) => call.fault === "hang-after");
        abort.abort();
        expect(await failure).toMatchObject({ kind: "unknown" });
      });
    });
  });
}

function status(answer: FakeAnswer) {
  return {
    kind: "status" as const,
    status: answer.status ?? 200,
    body: answer.body,
    ...(answer.headers && { headers: answer.headers }),
  };
}
