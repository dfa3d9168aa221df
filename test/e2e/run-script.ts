import { execFile } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { freePort } from "../support/ports.ts";
import { toolPath } from "../support/tools.ts";
import { ROOT } from "./gateway-process.ts";

const PATH = [dirname(toolPath("jq")), process.env.PATH].join(delimiter);

export interface Ran {
  readonly code: number;
  readonly said: string;
}

/** One of deploy/scripts, with nothing of our environment but where programs are. */
export function runScript(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const command = ["--norc", join(ROOT, "deploy/scripts", `${name}.sh`), ...args];
  return new Promise((resolve) => {
    execFile("bash", command, { env: { PATH, ...env } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), said: stdout + stderr }),
    );
  });
}

export async function nobody(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}
