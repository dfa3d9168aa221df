import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";
import { ToolFault } from "../domain/tool-fault.ts";

/** What a program may see beside the system and its own folder. */
export interface Sandbox {
  readonly network: boolean;
  /** Absolute paths. */
  readonly read: readonly string[];
  readonly write: readonly string[];
}

interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Its working folder, which is there. */
  readonly folder: string;
}

const PROGRAM = "bwrap";
/** Programs and libraries, and what they need to know of the machine: no home, no data of anybody, nothing that is secret. */
const SYSTEM = [
  ...["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"],
  ...[
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
  ],
  ...["/etc/hosts", "/etc/resolv.conf", "/etc/ssl", "/etc/ca-certificates", "/etc/pki"],
];

/**
 * The command that runs a program under bubblewrap: with name spaces of its own for processes, users, names and, unless it
 * may use it, the network; an empty /tmp; and of the files its folder, which is also its home, what is named, and the system.
 * What it has started ends with it. Throws ToolFault where bubblewrap is not installed.
 */
export function sandboxed({ command, args, folder }: Program, sandbox: Sandbox): Omit<Program, "folder"> {
  const program = onPath(PROGRAM);
  if (program === null)
    throw new ToolFault(`expected ${PROGRAM} in PATH for its sandbox (Debian: bubblewrap), got none`, {
      mayHaveRun: false,
      isPassing: false,
    });
  const seen = isAbsolute(command) ? [...sandbox.read, command] : sandbox.read;
  return {
    command: program,
    args: [
      ...["--unshare-all", ...(sandbox.network ? ["--share-net"] : [])],
      ...["--die-with-parent", "--new-session"],
      ...SYSTEM.flatMap((path) => ["--ro-bind-try", path, path]),
      ...["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"],
      ...seen.flatMap((path) => ["--ro-bind", path, path]),
      ...sandbox.write.flatMap((path) => ["--bind", path, path]),
      ...["--bind", folder, folder, "--chdir", folder, "--setenv", "HOME", folder],
      ...["--", command, ...args],
    ],
  };
}

function onPath(name: string): string | null {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not there.
    }
  }
  return null;
}
