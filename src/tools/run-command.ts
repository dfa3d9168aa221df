import { theirWords } from "../domain/text.ts";
import { ToolFault } from "../domain/tool-fault.ts";
import type { ToolOutput } from "../ports/tool.ts";
import { OUTPUT_BYTES_MAX, STDERR_CHARS_MAX } from "./bounds.ts";
import { reasonOf } from "./mcp/faults.ts";
import { minimalEnvironment, signalGroup, spawnGroup } from "./process.ts";
import type { Sandbox } from "./sandbox.ts";

interface Command {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Made where it is not there. */
  readonly folder: string;
  readonly sandbox: Sandbox | null;
}

/** Runs it to its end, or kills it and all that it has started when the signal says so or it writes without end. */
export async function runCommand(
  { name, env, ...program }: Command,
  signal: AbortSignal,
): Promise<ToolOutput> {
  const child = spawnGroup(program, { env: minimalEnvironment(env), stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => signalGroup(child.pid, "SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  const pieces: Buffer[] = [];
  let bytes = 0;
  let stderr = "";
  child.stdout?.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > OUTPUT_BYTES_MAX) kill();
    else pieces.push(piece);
  });
  child.stderr?.on("data", (piece: Buffer) => {
    stderr = (stderr + piece.toString("utf8")).slice(-STDERR_CHARS_MAX);
  });
  try {
    const [code, killedBy] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (...end) => resolve(end));
    });
    signal.throwIfAborted();
    if (bytes > OUTPUT_BYTES_MAX)
      return failure(`stopped, because it wrote more than ${OUTPUT_BYTES_MAX} bytes`);
    const output = theirWords(Buffer.concat(pieces).toString("utf8").trimEnd());
    if (code === 0) return { text: output || "(no output)", isError: false };
    const words = [output, theirWords(stderr.trimEnd())].filter((part) => part !== "");
    return failure([killedBy === null ? `exit code ${code}` : `ended by ${killedBy}`, ...words].join("\n"));
  } catch (error) {
    signal.throwIfAborted();
    throw new ToolFault(`${name} could not be started: ${reasonOf(error)}`, {
      mayHaveRun: false,
      isPassing: false,
      cause: error,
    });
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

function failure(text: string): ToolOutput {
  return { text, isError: true };
}
