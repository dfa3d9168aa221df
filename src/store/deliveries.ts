import type { Deliveries, HookDelivery, HookState, HookStates } from "../ports/hooks.ts";
import type { Vault } from "../ports/vault.ts";
import { get, getObject, getString, parseJsonObject } from "../shared/json.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf } from "./vault-entries.ts";

const PREFIX = `${PLAIN}hook/`;
const STATES = `${PLAIN}hook-state/`;
/** Of a time in base 32, as long as ids have it. */
const TIME_CHARS = 9;
const TIME_MAX = 32 ** TIME_CHARS - 1;

/** Deliveries in the vault, by names that put the first that is due first, and of dead ones the latest. */
export function createDeliveries(vault: Vault): Deliveries {
  return {
    async put(delivery, instead) {
      const name = nameOf(delivery);
      await vault.put(name, JSON.stringify(delivery));
      if (instead !== undefined && nameOf(instead) !== name) await vault.remove(nameOf(instead));
    },
    remove: (delivery) => vault.remove(nameOf(delivery)),
    async next(hook, limit) {
      const entries = await vault.list({ prefix: folderOf("wait", hook), limit });
      return entries.flatMap(({ value }) => deliveryIn(value) ?? []);
    },
    async dead(hook, { limit, after }) {
      const prefix = folderOf("dead", hook);
      const from = after === undefined ? {} : { after: `${prefix}${after}` };
      const entries = await vault.list({ prefix, limit: limit + 1, ...from });
      const page = entries.slice(0, limit);
      const last = page.at(-1);
      return {
        deliveries: page.flatMap(({ value }) => deliveryIn(value) ?? []),
        next: entries.length > limit && last !== undefined ? last.name.slice(prefix.length) : null,
      };
    },
    async *all() {
      for await (const { value } of entriesOf(vault, PREFIX)) {
        const delivery = deliveryIn(value);
        if (delivery !== null) yield delivery;
      }
    },
  };
}

export function createHookStates(vault: Vault): HookStates {
  return {
    async put(hook, state) {
      await vault.put(`${STATES}${encodeURIComponent(hook)}`, JSON.stringify(state));
    },
    get: async (hook) => stateIn(await vault.get(`${STATES}${encodeURIComponent(hook)}`)),
  };
}

function folderOf(state: "wait" | "dead", hook: string): string {
  return `${PREFIX}${state}/${encodeURIComponent(hook)}/`;
}

function nameOf({ hook, id, dueMs, died }: HookDelivery): string {
  const at = died === undefined ? digits(dueMs) : digits(TIME_MAX - died.atMs);
  return `${folderOf(died === undefined ? "wait" : "dead", hook)}${at}/${id}`;
}

function digits(ms: number): string {
  return Math.max(0, Math.floor(ms)).toString(32).padStart(TIME_CHARS, "0");
}

function deliveryIn(value: string): HookDelivery | null {
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return null;
  const [hook, id, type, eventId] = ["hook", "id", "type", "eventId"].map((key) =>
    getString(parsed.value, key),
  );
  const [atMs, dueMs, attempts] = ["atMs", "dueMs", "attempts"].map((key) => get(parsed.value, key));
  const data = getObject(parsed.value, "data");
  if (hook === undefined || id === undefined || type === undefined || data === undefined) return null;
  if (typeof atMs !== "number" || typeof dueMs !== "number" || typeof attempts !== "number") return null;
  const died = timed(getObject(parsed.value, "died"));
  return {
    ...{ hook, id, type, atMs, data, attempts, dueMs },
    ...(eventId !== undefined && { eventId }),
    ...(died !== null && { died }),
  };
}

function timed(value: unknown): { readonly atMs: number; readonly cause: string } | null {
  const [atMs, cause] = [get(value, "atMs"), getString(value, "cause")];
  return typeof atMs === "number" && cause !== undefined ? { atMs, cause } : null;
}

function stateIn(value: string | null): HookState {
  const parsed = value === null ? null : parseJsonObject(value);
  if (parsed?.ok !== true) return { deliveredAtMs: null, failure: null };
  const deliveredAtMs = get(parsed.value, "deliveredAtMs");
  return {
    deliveredAtMs: typeof deliveredAtMs === "number" ? deliveredAtMs : null,
    failure: timed(getObject(parsed.value, "failure")),
  };
}
