import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Child, launch } from "./child.ts";
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
  return await start("nginx", /start worker process (\d+)/, (port, folder) => {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(" ");
    const config = `daemon off; worker_processes 1; pid ${folder}/pid; error_log stderr notice;
events { worker_connections 1024; }
http { access_log off; ${temporary} client_max_body_size 8m;
  server { listen 127.0.0.1:${port}; location / { ${location} } } }
`;
    // Started by root it would lower its rights, and then not be let into the folder.
    return {
      config: `${process.getuid?.() === 0 ? "user root; " : ""}${config}`,
      args: ["-e", "stderr", "-c"],
    };
  });
}

/** `frontend` and `backend` hold further lines of these sections. */
export async function startHaproxy(to: string, frontend = "", backend = ""): Promise<ProxyProcess> {
  const { host } = new URL(to);
  return await start("haproxy", /(Loading success)/, (port) => ({
    config: `defaults
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
    args: ["-W", "-db", "-f"],
  }));
}

type Setup = (port: number, folder: string) => { readonly config: string; readonly args: readonly string[] };

async function start(name: "nginx" | "haproxy", ready: RegExp, setup: Setup): Promise<ProxyProcess> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), `parley-${name}-`));
  const { config, args } = setup(port, folder);
  const file = join(folder, "config");
  writeFileSync(file, config);
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

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === "string") throw new Error("Expected a port, got none");
  return address.port;
}
