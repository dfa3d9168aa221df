import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, type Ending, launch } from "./child.ts";
import { freePort } from "./ports.ts";
import { toolPath } from "./tools.ts";

/** A real proxy on loopback before one server. */
export interface ProxyProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** What it has said: warnings, and the state of the servers behind it. */
  readonly process: Child;
}

/** `location` holds directives for every path, beside those that nginx needs to run here. */
export async function startNginx(location: string): Promise<ProxyProcess> {
  return await startProxy("nginx", (port, folder) =>
    nginxConfig(
      folder,
      `client_max_body_size 8m;
  server { listen 127.0.0.1:${port}; location / { ${location} } }`,
    ),
  );
}

/** `http` is all of that section, beside what nginx needs to run in this folder. */
export function nginxConfig(folder: string, http: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  // Started by root it would lower its rights, and then not be let into the folder.
  const user = process.getuid?.() === 0 ? "user root; " : "";
  return `${user}daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr notice;
events { worker_connections 1024; }
http { access_log off; ${temporary}
  ${http} }
`;
}

/** `frontend` and `backend` hold further lines of these sections. */
export async function startHaproxy(to: string, frontend = "", backend = ""): Promise<ProxyProcess> {
  const { host } = new URL(to);
  return await startProxy(
    "haproxy",
    (port) => `defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend outside
  bind 127.0.0.1:${port}
  ${frontend}
  default_backend gateway
backend gateway
  ${backend}
  server one ${host}${backend.includes("httpchk") ? " check inter 100ms" : ""}
`,
  );
}

const PROGRAMS = {
  nginx: { args: ["-e", "stderr", "-c"], check: ["-t"], ready: /start worker process (\d+)/ },
  haproxy: { args: ["-W", "-db", "-f"], check: ["-c"], ready: /(Loading success)/ },
};
export type ProxyName = keyof typeof PROGRAMS;

/** What it says of a configuration, and its exit code. */
export async function checkProxy(
  name: ProxyName,
  configure: (folder: string) => string,
): Promise<{ ending: Ending; said: string }> {
  const folder = mkdtempSync(join(tmpdir(), `parley-${name}-`));
  const file = join(folder, "config");
  writeFileSync(file, configure(folder));
  const { args, check } = PROGRAMS[name];
  const child = launch([toolPath(name), ...check, ...args, file], { cwd: folder });
  const ending = await child.ended;
  rmSync(folder, { recursive: true });
  return { ending, said: child.output.stdout + child.output.stderr };
}

/** Runs with the configuration that is made for this port and this folder. */
export async function startProxy(
  name: ProxyName,
  configure: (port: number, folder: string) => string,
): Promise<ProxyProcess> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), `parley-${name}-`));
  const file = join(folder, "config");
  writeFileSync(file, configure(port, folder));
  const { args, ready } = PROGRAMS[name];
  const process = launch([toolPath(name), ...args, file], { cwd: folder });
  await Promise.race([
    process.said("stderr", ready),
    process.ended.then((ending) => {
      throw new Error(`Expected ${name} to run, got ${ending}:\n${process.output.stderr}`);
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process,
    async [Symbol.asyncDispose]() {
      await process.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
