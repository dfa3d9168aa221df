/**
 * What the port promises of a queue and its outbox, as one pure function: no time, no disk, no network. A lease runs
 * out when somebody says so, and a claim says from which lane it takes.
 */
export interface Entry {
  readonly id: string;
  readonly lane: string;
  readonly state: "waiting" | "parked" | "running" | "done";
  /** Whether somebody has said something to it, and whether that came with its last claim. */
  readonly signal: "none" | "unheard" | "given";
  /** The time for which it was parked is over. */
  readonly isDue: boolean;
  /** Of the last claim; grows with each. */
  readonly token: number;
  /** Its lease has run out, and nobody has claimed anything since. */
  readonly lapsed: boolean;
  readonly hasProgress: boolean;
  /** What the outbox knows of its reply, which has one part. */
  readonly part: "unsaid" | "reserved" | "shown" | "sent";
  /** The token of the claim that reserved it last. */
  readonly reservedBy: number;
  /** What it is joined to, whose answer is its own; null: nothing. */
  readonly into: string | null;
  /** Whoever gave the answer of what it is joined to knew of it. No store knows that. */
  readonly isCovered: boolean;
}

/** Oldest first: the order of a lane is the order here. */
export type StoreState = readonly Entry[];

export interface Claim {
  readonly id: string;
  readonly token: number;
  readonly hasProgress: boolean;
  /** What was said to it came with the claim. */
  readonly isTold: boolean;
  /** It need not wait any longer; told by the time, and not by the store. */
  readonly isDue: boolean;
  /** Something is joined to it. */
  readonly hasJoined: boolean;
}

export type Call =
  | { readonly kind: "accept"; readonly id: string; readonly lane: string }
  | { readonly kind: "claim"; readonly lane: string }
  | { readonly kind: "extend" | "checkpoint" | "begin" | "reserve"; readonly job: Claim }
  | { readonly kind: "join"; readonly job: Claim }
  | { readonly kind: "settle"; readonly job: Claim; readonly as: "done" | "retry" | "park" }
  | { readonly kind: "record"; readonly job: Claim; readonly result: "receipt" | "shown" | "not-sent" }
  /** To the head of this lane. */
  | { readonly kind: "signal"; readonly lane: string }
  /** Nobody calls it: time passes, and all that is parked is due. */
  | { readonly kind: "alarm" }
  /** Nobody calls it: time passes, and the lease of this event is over. */
  | { readonly kind: "lapse"; readonly id: string };

export type Answer =
  | "accepted"
  | "duplicate"
  | "nothing"
  | "held"
  | "lost"
  | "fresh"
  | "in-doubt"
  | "shown"
  | "sent"
  | "joined"
  | "alone"
  | "ok"
  | Claim;

type Fenced =
  | "extend"
  | "checkpoint"
  | "begin"
  | "reserve"
  | "settle"
  | "join"
  | "record shown"
  | "record not-sent";

/** What makes it safe. Each can be taken away, to see that it is needed and that its absence is noticed. */
export interface Rules {
  readonly fenced: ReadonlySet<Fenced>;
  readonly knowsDuplicates: boolean;
  readonly claimsHeadsOnly: boolean;
  readonly tokensGrow: boolean;
  readonly givesLapsed: boolean;
  readonly lapsedKeepsPlace: boolean;
  readonly retryKeepsPlace: boolean;
  readonly remembersReservations: boolean;
  readonly remembersPreviews: boolean;
  readonly parkedKeepsPlace: boolean;
  readonly signalsWake: boolean;
  /** Parking looks for what was said since the claim. */
  readonly parkingListens: boolean;
  /** What is joined is over with what it is joined to. */
  readonly joinedEnds: boolean;
  /** Who begins to say an answer keeps it in the same step. */
  readonly beginSaves: boolean;
}

export const RULES: Rules = {
  fenced: new Set<Fenced>([
    "extend",
    "checkpoint",
    "begin",
    "reserve",
    "settle",
    "join",
    "record shown",
    "record not-sent",
  ]),
  knowsDuplicates: true,
  claimsHeadsOnly: true,
  tokensGrow: true,
  givesLapsed: true,
  lapsedKeepsPlace: true,
  retryKeepsPlace: true,
  remembersReservations: true,
  remembersPreviews: true,
  parkedKeepsPlace: true,
  signalsWake: true,
  parkingListens: true,
  joinedEnds: true,
  beginSaves: true,
};

export interface Applied {
  readonly store: StoreState;
  readonly answer: Answer;
}

export function apply(store: StoreState, call: Call, rules: Rules): Applied {
  switch (call.kind) {
    case "accept":
      return accept(store, call, rules);
    case "claim":
      return claim(store, call.lane, rules);
    case "lapse":
      return { store: lapse(store, call.id, rules), answer: "ok" };
    case "signal":
      return signal(store, call.lane, rules);
    case "alarm":
      return { store: store.map(due), answer: "ok" };
    case "record":
      return record(store, call, rules);
    case "join": {
      const entry = entryFor(store, call.job, rules.fenced.has("join"));
      return entry === undefined ? { store, answer: "alone" } : join(store, entry);
    }
    case "extend":
    case "checkpoint":
    case "begin":
    case "reserve":
    case "settle": {
      const entry = entryFor(store, call.job, rules.fenced.has(call.kind));
      return entry === undefined ? { store, answer: "lost" } : carryOut(store, entry, call, rules);
    }
  }
}

function accept(
  store: StoreState,
  { id, lane }: Extract<Call, { kind: "accept" }>,
  { knowsDuplicates }: Rules,
): Applied {
  if (knowsDuplicates && store.some((entry) => entry.id === id)) return { store, answer: "duplicate" };
  const entry: Entry = {
    id,
    lane,
    state: "waiting",
    signal: "none",
    isDue: false,
    token: 0,
    lapsed: false,
    hasProgress: false,
    part: "unsaid",
    reservedBy: 0,
    into: null,
    isCovered: false,
  };
  return { store: [...store, entry], answer: "accepted" };
}

/** Every claim ends all leases that have run out, and takes the head of its lane if that is free. */
function claim(before: StoreState, lane: string, rules: Rules): Applied {
  const store = rules.givesLapsed ? before.map(freed) : before;
  const entry = claimable(store, lane, rules);
  if (entry === undefined) return { store: before, answer: "nothing" };
  const token = rules.tokensGrow || entry.token === 0 ? entry.token + 1 : entry.token;
  const { id, hasProgress, isDue } = entry;
  const isTold = entry.signal !== "none";
  const after = changed(store, entry, { state: "running", token, signal: isTold ? "given" : "none" });
  return { store: after, answer: { id, token, hasProgress, isTold, isDue, hasJoined: hasJoined(store, id) } };
}

function claimable(
  store: StoreState,
  lane: string,
  { claimsHeadsOnly, parkedKeepsPlace }: Rules,
): Entry | undefined {
  const isOver = ({ state }: Entry) => state === "done" || (state === "parked" && !parkedKeepsPlace);
  const open = store.filter((entry) => entry.lane === lane && !isOver(entry));
  return (claimsHeadsOnly ? open.slice(0, 1) : open).find(({ state }) => state === "waiting");
}

/** What is said wakes whoever is parked; who runs hears of it, or finds it with the next claim. */
function signal(store: StoreState, lane: string, { signalsWake }: Rules): Applied {
  const head = store.find((entry) => entry.lane === lane && entry.state !== "done");
  if (head === undefined) return { store, answer: "nothing" };
  const isWoken = head.state === "parked" && signalsWake;
  const state = isWoken ? "waiting" : head.state;
  return { store: changed(store, head, { signal: "unheard", state }), answer: "ok" };
}

function due(entry: Entry): Entry {
  return entry.state === "parked" ? { ...entry, state: "waiting", isDue: true } : entry;
}

function freed(entry: Entry): Entry {
  return entry.lapsed ? { ...entry, state: "waiting", lapsed: false } : entry;
}

function lapse(store: StoreState, id: string, { lapsedKeepsPlace }: Rules): StoreState {
  const entry = find(store, id);
  if (entry === undefined) return store;
  const after = changed(store, entry, { lapsed: true });
  return lapsedKeepsPlace ? after : toTheEnd(after, id);
}

/** Who calls with this claim is heard when it is the last one of an event that runs; unfenced, always. */
function entryFor(store: StoreState, job: Claim, isFenced: boolean): Entry | undefined {
  const entry = find(store, job.id);
  return entry === undefined || !isFenced || holds(entry, job) ? entry : undefined;
}

/** Also after its lease has run out, until the next claim of anybody. */
export function holds(entry: Entry, { token }: Claim): boolean {
  return entry.state === "running" && entry.token === token;
}

/** All that waits right behind it, which is claimed with it from then on. */
function join(before: StoreState, { id, lane }: Entry): Applied {
  const behind = before.slice(before.findIndex((entry) => entry.id === id) + 1);
  const store = behind
    .filter((entry) => entry.lane === lane)
    .reduce((after, entry) => changed(after, entry, { into: id }), before);
  return { store, answer: hasJoined(store, id) ? "joined" : "alone" };
}

function hasJoined(store: StoreState, id: string): boolean {
  return store.some(({ into }) => into === id);
}

/** The answer is kept. It is also that of what is joined, if whoever gave it knew of that. */
function saved(store: StoreState, entry: Entry, job: Claim): StoreState {
  const after = changed(store, entry, { hasProgress: true });
  const joined = job.hasJoined ? after.filter(({ into }) => into === entry.id) : [];
  return joined.reduce((all, one) => changed(all, one, { isCovered: true }), after);
}

function reserved(store: StoreState, entry: Entry, { token }: Claim, rules: Rules): Applied {
  if (entry.part === "sent") return { store, answer: "sent" };
  if (entry.part === "shown" && rules.remembersPreviews)
    return { store: changed(store, entry, { reservedBy: token }), answer: "shown" };
  const answer = entry.part === "reserved" && rules.remembersReservations ? "in-doubt" : "fresh";
  return { store: changed(store, entry, { part: "reserved", reservedBy: token }), answer };
}

/** With what is joined to it. */
function ended(before: StoreState, entry: Entry, { joinedEnds }: Rules): StoreState {
  const joined = before.filter(({ into }) => into === entry.id);
  const how: Partial<Entry> = joinedEnds ? { state: "done" } : { into: null };
  return joined.reduce(
    (store, one) => changed(store, one, how),
    changed(before, entry, { state: "done", lapsed: false }),
  );
}

function carryOut(
  store: StoreState,
  entry: Entry,
  call: Extract<Call, { kind: "extend" | "checkpoint" | "begin" | "reserve" | "settle" }>,
  rules: Rules,
): Applied {
  switch (call.kind) {
    case "extend":
      return { store: changed(store, entry, { lapsed: false }), answer: "held" };
    case "checkpoint":
      return { store: saved(store, entry, call.job), answer: "held" };
    case "begin": {
      const after = rules.beginSaves ? saved(store, entry, call.job) : store;
      return reserved(after, find(after, entry.id) ?? entry, call.job, rules);
    }
    case "settle": {
      if (call.as === "park") {
        const isHeard = entry.signal !== "unheard" || !rules.parkingListens;
        const state = isHeard ? "parked" : "waiting";
        const signalLeft = entry.signal === "given" ? "none" : entry.signal;
        return { store: changed(store, entry, { state, signal: signalLeft, lapsed: false }), answer: "held" };
      }
      if (call.as === "done") return { store: ended(store, entry, rules), answer: "held" };
      const after = changed(store, entry, { state: "waiting", lapsed: false });
      return { store: rules.retryKeepsPlace ? after : toTheEnd(after, entry.id), answer: "held" };
    }
    case "reserve":
      return reserved(store, entry, call.job, rules);
  }
}

/** A receipt is the truth, whoever brings it. Anything else is only true of one's own reservation. */
function record(
  store: StoreState,
  { job, result }: Extract<Call, { kind: "record" }>,
  { fenced }: Rules,
): Applied {
  const entry = find(store, job.id);
  if (entry === undefined) return { store, answer: "ok" };
  if (result === "receipt") return { store: changed(store, entry, { part: "sent" }), answer: "ok" };
  const isOutdated = fenced.has(`record ${result}`) && entry.reservedBy !== job.token;
  if (isOutdated || entry.part === "sent" || entry.part === "unsaid") return { store, answer: "ok" };
  const part = result === "shown" ? "shown" : "unsaid";
  return { store: changed(store, entry, { part }), answer: "ok" };
}

/** The newest of that name, should there be several. */
export function find(store: StoreState, id: string): Entry | undefined {
  for (let at = store.length - 1; at >= 0; at--) if (store[at]?.id === id) return store[at];
  return undefined;
}

/** The same store when nothing changes, so that this is cheap to see. */
function changed(store: StoreState, entry: Entry, changes: Partial<Entry>): StoreState {
  const after = { ...entry, ...changes };
  const isSame = (Object.keys(changes) as (keyof Entry)[]).every((key) => after[key] === entry[key]);
  return isSame ? store : store.with(store.indexOf(entry), after);
}

function toTheEnd(store: StoreState, id: string): StoreState {
  return [...store.filter((entry) => entry.id !== id), ...store.filter((entry) => entry.id === id)];
}
