import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePort } from "./ports.ts";
import { nginxConfig, type ProxyName, type ProxyProcess, startProxy } from "./proxies.ts";

const FOLDER = resolve(import.meta.dirname, "../../deploy");
const TLS = resolve(import.meta.dirname, "../fixtures/tls");
/** What the certificate of the fixtures is for. */
export const EDGE_HOST = "server.test";
export const EDGE_CA = readFileSync(join(TLS, "ca.pem"), "utf8");

export interface EdgePorts {
  readonly plain: number;
  readonly tls: number;
  readonly operators: number;
  /** Of the three replicas. */
  readonly replicas: readonly [number, number, number];
}

/** The shipped configuration as it is, but for names, ports and files of this machine. */
export function edgeConfig(name: ProxyName, folder: string, ports: EdgePorts): string {
  return name === "nginx" ? nginxEdge(folder, ports) : haproxyEdge(folder, ports);
}

function nginxEdge(folder: string, { plain, tls, operators, replicas }: EdgePorts): string {
  const shipped = replaced(readFileSync(join(FOLDER, "nginx/nginx.conf"), "utf8"), [
    ["parley.example", EDGE_HOST],
    ["listen 80 ", `listen 127.0.0.1:${plain} `],
    ["listen 443 ", `listen 127.0.0.1:${tls} `],
    ["127.0.0.1:8443", `127.0.0.1:${operators}`],
    ["/etc/ssl/parley/fullchain.pem", join(TLS, "server.pem")],
    ["/etc/ssl/parley/privkey.pem", join(TLS, "server-key.pem")],
    ["/var/log/nginx/parley.log", join(folder, "parley.log")],
    ...replicasOf(replicas),
  ]);
  return nginxConfig(folder, shipped);
}

function haproxyEdge(folder: string, { plain, tls, operators, replicas }: EdgePorts): string {
  const pem = join(folder, "parley.pem");
  writeFileSync(
    pem,
    ["server.pem", "server-key.pem"].map((file) => readFileSync(join(TLS, file), "utf8")).join(""),
  );
  return replaced(readFileSync(join(FOLDER, "haproxy/haproxy.cfg"), "utf8"), [
    ["parley.example", EDGE_HOST],
    // Debian's user, where the package was not installed.
    ["    user haproxy\n    group haproxy\n", ""],
    ["bind :80\n", `bind 127.0.0.1:${plain}\n`],
    ["bind :443 ", `bind 127.0.0.1:${tls} `],
    ["127.0.0.1:8443", `127.0.0.1:${operators}`],
    ["/etc/ssl/parley/parley.pem", pem],
    ...replicasOf(replicas),
  ]);
}

function replicasOf(ports: EdgePorts["replicas"]): [string, string][] {
  return ports.map((port, index) => [`127.0.0.1:${8081 + index}`, `127.0.0.1:${port}`]);
}

function replaced(text: string, changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((current, [from, to]) => {
    if (!current.includes(from)) throw new Error(`Expected ${JSON.stringify(from)} in it, got none`);
    return current.replaceAll(from, to);
  }, text);
}

export interface Edge extends AsyncDisposable {
  readonly ports: EdgePorts;
  readonly proxy: ProxyProcess;
}

/** The shipped edge before one gateway, which stands for two replicas; the third is down. */
export async function startEdge(
  name: ProxyName,
  gatewayUrl: string,
  change: (config: string) => string = (config) => config,
): Promise<Edge> {
  const replica = Number(new URL(gatewayUrl).port);
  const others = { plain: await freePort(), operators: await freePort() };
  const replicas = [replica, await freePort(), replica] as const;
  let ports: EdgePorts | undefined;
  const proxy = await startProxy(name, (tls, folder) => {
    ports = { ...others, tls, replicas };
    return change(edgeConfig(name, folder, ports));
  });
  if (ports === undefined) throw new Error("Expected a configuration to be asked for, got none");
  return { ports, proxy, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}
