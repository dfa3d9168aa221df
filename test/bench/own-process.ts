import { fork } from "node:child_process";
import { once } from "node:events";

/** A benchmark: an exported function of one of these modules, its options and what it gives. */
interface Order {
  readonly module: string;
  readonly name: string;
  readonly options: object;
}

/**
 * Runs a benchmark in a process of its own: the load comes from there, and what others have left in its memory would
 * slow it down. Options and results must be plain data, Maps and Sets among it.
 */
export async function inOwnProcess<Options extends object, Result>(
  module: URL,
  benchmark: (options: Options) => Promise<Result>,
  options: Options,
): Promise<Result> {
  const order: Order = { module: module.href, name: benchmark.name, options };
  const child = fork(import.meta.filename, [], { serialization: "advanced" });
  const failed = once(child, "exit").then(([code]) => {
    throw new Error(`${order.name} ended with ${code} and no result`);
  });
  failed.catch(() => {});
  child.send(order);
  const [result] = await Promise.race([once(child, "message"), failed]);
  return result as Result;
}

async function obey({ module, name, options }: Order): Promise<void> {
  const exported = (await import(module)) as Record<string, (options: object) => Promise<unknown>>;
  const benchmark = exported[name];
  if (benchmark === undefined) throw new Error(`Expected ${module} to export ${name}`);
  process.send?.(await benchmark(options), () => process.exit(0));
}

if (process.send !== undefined && process.argv[1] === import.meta.filename) {
  process.once("message", (order: Order) => void obey(order));
}
