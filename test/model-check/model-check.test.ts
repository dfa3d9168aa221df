import { describe, expect, it } from "vitest";
import { type Exploration, explore } from "./explore.ts";
import { RULES, type Rules } from "./store-model.ts";
import { PROGRAM, type Program } from "./worker-program.ts";
import { EVENTS, type Event } from "./world.ts";

const [A1, A2, B1] = EVENTS;
const TWO = "two workers and two events,";
const WHOLE = "two workers, two events in one lane and one in another";
/** Any two of the three events; all of them, over a million worlds, with `npm run soak -- model`. */
const SCENES: [string, readonly Event[], number][] =
  process.env.PARLEY_MODEL === "whole"
    ? [[WHOLE, EVENTS, 1_000_000]]
    : [
        [`${TWO} one after the other`, [A1, A2], 8_000],
        [`${TWO} each in a lane of its own`, [A1, B1], 200_000],
      ];

describe.each(SCENES)("%s", (_, events, worldsMin) => {
  it("keep every promise in every world that can come about, and come to an end", {
    timeout: 300_000,
  }, () => {
    const { worlds, steps, violation } = explore({ rules: RULES, program: PROGRAM, events });
    console.info(`${worlds} worlds, ${steps} steps between them`);
    expect(violation).toBeNull();
    // As many as there are now, roughly: fewer would mean that something cannot happen any more.
    expect(worlds).toBeGreaterThan(worldsMin);
  });
});

describe("the exploration notices", () => {
  const without = (rules: Partial<Rules>, program: Partial<Program> = {}): Exploration["violation"] =>
    explore({ rules: { ...RULES, ...rules }, program: { ...PROGRAM, ...program } }).violation;
  const unfenced = (name: "extend" | "checkpoint" | "begin" | "reserve" | "settle" | "record not-sent") =>
    without({ fenced: new Set([...RULES.fenced].filter((one) => one !== name)) });

  it.each(["extend", "checkpoint", "begin", "reserve", "settle"] as const)("a %s without a fence", (name) => {
    expect(unfenced(name)?.fault).toBe(`${name} with an old claim of a1 was heard`);
  });

  it("a late word that nothing was sent, which takes back the reservation of another", () => {
    expect(unfenced("record not-sent")?.fault).toBe("the reply to a1 is called fresh after it was said");
  });

  it.each<[string, Partial<Rules>, RegExp]>([
    ["a duplicate that is not known", { knowsDuplicates: false }, /was accepted twice/],
    [
      "a claim of what is not the head of its lane",
      { claimsHeadsOnly: false },
      /two events of lane a run at once/,
    ],
    ["a token that does not grow", { tokensGrow: false }, /two workers hold a1/],
    ["a lease that never runs out", { givesLapsed: false }, /nothing goes on, and not all is settled/],
    [
      "a lost lease that costs the event its place",
      { lapsedKeepsPlace: false },
      /a2 has begun before a1 was over/,
    ],
    ["a retry that costs the event its place", { retryKeepsPlace: false }, /a2 has begun before a1 was over/],
    [
      "a reservation that is forgotten",
      { remembersReservations: false },
      /is called fresh after it was said/,
    ],
  ])("%s", (_, rules, fault) => {
    expect(without(rules)?.fault).toMatch(fault);
  });

  it.each<[string, Partial<Program>, RegExp]>([
    ["that goes on when its lease is lost", { stopsWhenLost: false }, /is called fresh after it was said/],
    [
      "that says what it has not reserved",
      { reservesFirst: false },
      /said twice, neither time as a possible repeat/,
    ],
    ["that takes a reply in doubt for said", { repeatsWhatIsInDoubt: false }, /was settled and never said/],
  ])("a worker %s", (_, program, fault) => {
    expect(without({}, program)?.fault).toMatch(fault);
  });

  it("how it came about, in the fewest steps", () => {
    expect(unfenced("record not-sent")?.trace).toEqual([
      "a1 is sent",
      "worker 1 claims (a)",
      "a1 loses its lease",
      "worker 1 saves the answer and reserves it (a1)",
      "worker 1 is not allowed to say it (a1)",
      "worker 2 claims (a)",
      "worker 2 reserves the reply (a1)",
      "worker 1 records that it was not said (a1)",
      "worker 2 repeats it and hears no answer (a1)",
      "worker 2 puts it back (a1)",
      "worker 2 claims (a)",
      "worker 2 reserves the reply (a1)",
    ]);
  });
});

describe("two workers that may show an answer while it grows", () => {
  const [a1] = EVENTS;
  const SHOWING: Program = { ...PROGRAM, previews: true };
  const exploreOne = (rules: Partial<Rules> = {}, program: Partial<Program> = {}): Exploration =>
    explore({ rules: { ...RULES, ...rules }, program: { ...SHOWING, ...program }, events: [a1] });

  it("say it in the place of its preview, never beside it, in every world that can come about", () => {
    const { worlds, steps, violation } = exploreOne();
    console.info(`${worlds} worlds, ${steps} steps between them`);
    expect(violation).toBeNull();
    expect(worlds).toBeGreaterThan(2_000);
  });

  it.each<[string, Partial<Rules>, Partial<Program>, string]>([
    [
      "a preview that is forgotten",
      { remembersPreviews: false },
      {},
      "the reply to a1 is called fresh with its preview out",
    ],
    [
      "a preview that is taken for the answer",
      {},
      { editsWhatIsShown: false },
      "a1 was settled and never said",
    ],
    [
      "a late word that a preview was refused, which takes back the reservation of another",
      { fenced: new Set([...RULES.fenced].filter((one) => one !== "record not-sent")) },
      {},
      "the reply to a1 is called fresh after it was said",
    ],
  ])("are found out with %s", (_, rules, program, fault) => {
    expect(exploreOne(rules, program).violation?.fault).toBe(fault);
  });
});

describe("two workers whose runs wait for a decision", () => {
  const [a1, a2] = EVENTS;
  const exploreAsking = (rules: Partial<Rules> = {}): Exploration =>
    explore({ rules: { ...RULES, ...rules }, program: { ...PROGRAM, asks: true }, events: [a1, a2] });

  it("are parked in their place until somebody or the time decides, in every world that can come about", () => {
    const { worlds, steps, violation } = exploreAsking();
    console.info(`${worlds} worlds, ${steps} steps between them`);
    expect(violation).toBeNull();
    expect(worlds).toBeGreaterThan(10_000);
  });

  it.each<[string, Partial<Rules>, string]>([
    ["a word that wakes nobody", { signalsWake: false }, "a1 is parked with a word that nobody has heard"],
    [
      "a word that came while it was about to be parked, and is not looked for",
      { parkingListens: false },
      "a1 is parked with a word that nobody has heard",
    ],
    ["a place that is lost by parking", { parkedKeepsPlace: false }, "a2 has begun before a1 was over"],
    [
      "an old claim that may park",
      { fenced: new Set([...RULES.fenced].filter((one) => one !== "settle")) },
      "settle with an old claim of a1 was heard",
    ],
  ])("are found out with %s", (_, rules, fault) => {
    expect(exploreAsking(rules).violation?.fault).toBe(fault);
  });
});

describe("two workers that answer what waits right behind with it", () => {
  const [a1, a2] = EVENTS;
  const exploreMerging = (rules: Partial<Rules> = {}, program: Partial<Program> = {}): Exploration =>
    explore({
      rules: { ...RULES, ...rules },
      program: { ...PROGRAM, merges: true, ...program },
      events: [a1, a2],
    });

  it("answer each once, with another or by itself, in every world that can come about", () => {
    const { worlds, steps, violation } = exploreMerging();
    console.info(`${worlds} worlds, ${steps} steps between them`);
    expect(violation).toBeNull();
    expect(worlds).toBeGreaterThan(10_000);
  });

  it.each<[string, Partial<Rules>, Partial<Program>, string]>([
    [
      "an old claim that may join",
      { fenced: new Set([...RULES.fenced].filter((one) => one !== "join")) },
      {},
      "join with an old claim of a1 was heard",
    ],
    [
      "what is joined and comes back by itself",
      { joinedEnds: false },
      {},
      "a2 was answered with another, and once more",
    ],
    [
      "a run that is not told what was joined to it",
      {},
      { tellsOfJoined: false },
      "a2 is over with an answer that does not know of it",
    ],
  ])("are found out with %s", (_, rules, program, fault) => {
    expect(exploreMerging(rules, program).violation?.fault).toBe(fault);
  });
});
