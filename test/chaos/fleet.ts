import { type GatewayProcess, startGateway, temporaryFolder } from "../e2e/gateway-process.ts";
import { scrapeWhenIdle, scrapeWhenZero } from "../e2e/scrape.ts";
import type { Death } from "./judge-calls.ts";

export type Role = "all" | "ingress" | "worker";

export interface FleetOptions {
  readonly roles: readonly Role[];
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
}

/** One place of the fleet, with a folder of its own; who stands there changes with each death. */
interface Place {
  readonly name: string;
  readonly role: Role;
  readonly dataDir: string;
  starts: number;
  gateway: GatewayProcess | null;
}

/** Everything is settled within this time, though the last answer has failed a few times. */
const IDLE_MS = 120_000;

/** Gateways that share a Redis, and the deaths among them. */
export class Fleet implements AsyncDisposable {
  readonly deaths: Death[] = [];
  readonly #places: readonly Place[];
  readonly #options: FleetOptions;
  /** Of the next start. */
  #opened: PromiseWithResolvers<void> = Promise.withResolvers();
  #said = "";

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#places = options.roles.map((role, index) => ({
      name: `${role}-${index + 1}`,
      role,
      dataDir: temporaryFolder(),
      starts: 0,
      gateway: null,
    }));
  }

  get size(): number {
    return this.#places.length;
  }

  /** Those that take webhooks now. Waits while there are none. */
  async urls(): Promise<readonly string[]> {
    for (;;) {
      const urls = this.#places.flatMap(({ role, gateway }) =>
        gateway === null || role === "worker" ? [] : [gateway.url],
      );
      if (urls.length > 0) return urls;
      await this.#opened.promise;
    }
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#places.map((_, index) => this.start(index)));
  }

  async start(index: number): Promise<void> {
    const place = this.#place(index);
    place.starts++;
    const { config, env } = this.#options;
    place.gateway = await startGateway({
      dataDir: place.dataDir,
      config,
      // The provider knows by the key which process has called.
      env: { ...env, PARLEY_ROLE: place.role, ANTHROPIC_API_KEY: this.#nameOf(place) },
    });
    this.#opened.resolve();
    this.#opened = Promise.withResolvers();
  }

  async kill(index: number): Promise<void> {
    const place = this.#place(index);
    const { gateway } = place;
    if (gateway === null) return;
    this.deaths.push({ who: this.#nameOf(place), atMs: Date.now() });
    await this.#end(place, "SIGKILL");
  }

  /** Resolves when nothing waits, runs or is on its way any more. */
  async idle(): Promise<void> {
    // The last look is at a queue into which every spool has been emptied.
    for (let look = 0; look < 2; look++) {
      for (const url of this.#running()) await scrapeWhenIdle(url, IDLE_MS);
    }
  }

  /** Resolves when what was acknowledged is with Redis. */
  async spoolsEmpty(): Promise<void> {
    for (const url of this.#running()) await scrapeWhenZero(url, ["parley_spool_events"], IDLE_MS);
  }

  #running(): readonly string[] {
    return this.#places.flatMap(({ gateway }) => (gateway === null ? [] : [gateway.url]));
  }

  /** Gives how each has ended. */
  async stopAll(): Promise<readonly unknown[]> {
    return await Promise.all(this.#places.map((place) => this.#end(place, "SIGTERM")));
  }

  /** What all of them have said, one process after the other. */
  get said(): string {
    return this.#said;
  }

  async #end(place: Place, signal: NodeJS.Signals): Promise<unknown> {
    const { gateway } = place;
    this.#note(place);
    place.gateway = null;
    return await gateway?.end(signal);
  }

  #note(place: Place): void {
    if (place.gateway === null) return;
    this.#said += `=== ${this.#nameOf(place)}\n${place.gateway.stderr()}${place.gateway.stdout()}\n`;
  }

  #nameOf({ name, starts }: Place): string {
    return `${name}-${starts}`;
  }

  #place(index: number): Place {
    const place = this.#places[index];
    if (place === undefined) throw new Error(`Expected a gateway below ${this.size}, got ${index}`);
    return place;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#places.map((place) => this.#end(place, "SIGKILL")));
  }
}
