/** What the oldest event of a lane is doing, on whatever replica: nothing there, not yet begun or to be tried again, in hand. */
export type LaneState = "idle" | "waiting" | "running";

/** The work of all replicas, lane by lane. */
export interface Lanes {
  stateOf(lane: string): Promise<LaneState>;
  /**
   * Asks for an end of the lane's oldest event, and gives what it was doing. One that runs: its holder hears of it on
   * the bus (STOP_TOPIC, the lane as the message), at the latest with its next `extend`. One that waits is claimable
   * at once, with `stopRequested`. The request is durable and ends with the event.
   */
  stop(lane: string): Promise<LaneState>;
}

export const STOP_TOPIC = "stop";
