import type { Bus } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import { Feed } from "./feed.ts";
import { type Life, lifeSchema } from "./life.ts";

/** What becomes of events. */
export class LifeFeed extends Feed<Life> {
  constructor(of: { bus: Bus; clock: Clock }) {
    super({ ...of, topic: "life", schema: lifeSchema });
  }
}
