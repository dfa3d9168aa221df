/** One long form of what `npm test` does in short. */
export interface Form {
  readonly what: string;
  /** Run by Node in the root of the repository. `{seed}` stands for the seed. */
  readonly command: readonly string[];
  /** Set for it, each number times what `--times` says. */
  readonly counts: Readonly<Record<string, number>>;
  /** Set for it as they are. */
  readonly env: Readonly<Record<string, string>>;
}

const simulation = (what: string, form: string, days?: number): Form => ({
  what,
  command: ["test/simulation/soak.ts", form],
  counts: days === undefined ? {} : { PARLEY_SIM_RUNS: days },
  env: { PARLEY_SIM_SEED: "{seed}" },
});

const tests = (
  what: string,
  project: string,
  files: readonly string[],
  counts: Form["counts"],
  env: Form["env"] = {},
): Form => ({
  what,
  command: ["node_modules/vitest/vitest.mjs", "run", "--project", project, ...files],
  counts,
  env: { PARLEY_SEED: "{seed}", ...env },
});

const chaos = (what: string, ...options: readonly string[]): Form => ({
  what,
  command: ["test/chaos/run.ts", "--seed", "{seed}", ...options],
  counts: {},
  env: {},
});

const MINUTES = ["--minutes", "15", "--conversations", "2000"];

export const FORMS = {
  days: simulation("days of one gateway on SQLite, made up from seeds", "days", 1_000),
  redis: simulation("days of replicas on one Redis, made up from seeds", "redis", 500),
  steps: simulation("a death at each step of the small scenario, on each kind of platform", "steps"),
  pairs: simulation("two deaths, at each pair of its steps", "pairs"),
  "redis-steps": simulation("one of two replicas struck in every way at each of its steps", "redis-steps"),
  model: tests(
    "every world of two workers and three events, and long walks with the stores",
    "proofs",
    ["test/model-check"],
    { PARLEY_WALKS: 2_000 },
    { PARLEY_MODEL: "whole" },
  ),
  stores: tests(
    "random histories of the stores and of the spool, and kills of a store while it writes",
    "contract",
    [
      "test/store/random.test.ts",
      "test/store/redis/random.test.ts",
      "test/store/redis/spooled-random.test.ts",
      "test/store/spool/random.test.ts",
      "test/store/faults.test.ts",
    ],
    { PARLEY_SEEDS: 200, PARLEY_KILLS: 100 },
  ),
  kills: tests("a gateway killed under load", "e2e", ["test/e2e/kill-loop.test.ts"], { PARLEY_KILLS: 200 }),
  "socket-kills": tests("whoever holds a socket killed", "e2e", ["test/e2e/socket-kills.test.ts"], {
    PARLEY_KILLS: 25,
  }),
  freezes: tests("a replica stopped while it sends", "e2e", ["test/e2e/freeze.test.ts"], {
    PARLEY_FREEZES: 100,
  }),
  chaos: chaos("everything failing at once, without spools", ...MINUTES, "--spool", "off"),
  "chaos-spool": chaos("everything failing in turn, with spools", ...MINUTES, "--apart"),
} as const satisfies Readonly<Record<string, Form>>;

export type FormName = keyof typeof FORMS;

/** What to start: arguments of Node, and what to add to the environment. */
export function invocation(name: FormName, { seed, times }: { seed: number; times: number }) {
  const { command, counts, env }: Form = FORMS[name];
  const withSeed = (text: string) => text.replace("{seed}", String(seed));
  const number = (count: number) => String(Math.max(1, Math.round(count * times)));
  return {
    args: command.map(withSeed),
    env: {
      ...Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, number(count)])),
      ...Object.fromEntries(Object.entries(env).map(([key, value]) => [key, withSeed(value)])),
    },
  };
}
