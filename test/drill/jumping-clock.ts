import { readFileSync } from "node:fs";
import process from "node:process";

/**
 * For `--import`: the wall clock of a process goes by as many milliseconds more as a file says, also in its threads. What
 * measures how long something takes does not notice, as with a clock that is set.
 */
const file = process.env.DRILL_CLOCK ?? "";
const RealDate = Date;
let aheadMs = 0;
setInterval(() => {
  aheadMs = Number(readFileSync(file, "utf8"));
}, 200).unref();
const now = () => RealDate.now() + aheadMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: []) => Reflect.construct(target, args.length === 0 ? [now()] : args) as Date,
  get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
});
