// Brings what the tests need and npm cannot: promtool, amtool, redis-server, nginx and haproxy, from Debian's packages, unpacked
// beside the modules and not installed, so that no service starts. Plain JavaScript: it also runs on Node 20.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";

const tools = resolve(import.meta.dirname, "../node_modules/.cache/parley-tools");
const bin = join(tools, "usr/bin");

const missing = [
  { name: "promtool", install: "prometheus", unpack: () => unpack("prometheus") },
  { name: "amtool", install: "prometheus-alertmanager", unpack: () => unpack("prometheus-alertmanager") },
  { name: "redis-server", install: "redis-server", unpack: unpackRedis },
  { name: "nginx", install: "nginx", unpack: () => unpackServer("nginx", "-v") },
  { name: "haproxy", install: "haproxy", unpack: () => unpackServer("haproxy", "-v") },
].filter(({ name }) => !isOnPath(name) && !existsSync(join(bin, name)));

if (missing.length > 0) {
  mkdirSync(tools, { recursive: true });
  try {
    unpackAll();
  } catch {
    try {
      apt(["update", "-q"]);
      unpackAll();
    } catch (error) {
      fail(error);
    }
  }
}

function unpackAll() {
  for (const { name, unpack } of missing) if (!existsSync(join(bin, name))) unpack();
}

/** The server is redis-check-rdb under another name. */
function unpackRedis() {
  for (const name of ["redis-tools", ...missingLibraries("redis-tools")]) unpack(name);
  const server = join(tools, "usr/libexec/redis-server");
  mkdirSync(join(tools, "usr/libexec"), { recursive: true });
  rmSync(server, { force: true });
  symlinkSync("../bin/redis-check-rdb", server);
  wrap("redis-server", "usr/libexec/redis-server", "--version");
}

function unpackServer(name, version) {
  for (const one of [name, ...missingLibraries(name)]) unpack(one);
  wrap(name, `usr/sbin/${name}`, version);
}

/** The libraries are not where the loader looks. */
function wrap(name, program, version) {
  const libraries = libraryFolders().map((folder) => `$root/${folder}:`);
  const script = `#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/../..
LD_LIBRARY_PATH="${libraries.join("")}\${LD_LIBRARY_PATH:-/usr/lib}" exec "$root/${program}" "$@"
`;
  // Its presence says that it is complete, so it gets its name when it has shown that it runs.
  mkdirSync(bin, { recursive: true });
  const untried = join(bin, `${name}.new`);
  writeFileSync(untried, script);
  chmodSync(untried, 0o755);
  run(untried, [version]);
  renameSync(untried, join(bin, name));
}

/** What apt would install besides, were it asked to. */
function missingLibraries(name) {
  const plan = run("apt-get", ["install", "--simulate", "--no-install-recommends", name]);
  return [...plan.matchAll(/^Inst (lib\S+) \(/gm)].map(([, library]) => library);
}

function libraryFolders() {
  return ["usr/lib", "lib"]
    .filter((parent) => existsSync(join(tools, parent)))
    .flatMap((parent) => readdirSync(join(tools, parent)).map((folder) => `${parent}/${folder}`))
    .filter((folder) => folder.includes("-linux-gnu"));
}

function unpack(name) {
  const isOurs = (file) => file.startsWith(`${name}_`) && file.endsWith(".deb");
  for (const stale of readdirSync(tools).filter(isOurs)) rmSync(join(tools, stale));
  run("apt-get", ["download", "-q", name]);
  run("dpkg", ["-x", readdirSync(tools).find(isOurs), tools]);
}

function apt(args) {
  const isRoot = process.getuid?.() === 0;
  const [command, ...rest] = isRoot ? ["apt-get", ...args] : ["sudo", "-n", "apt-get", ...args];
  run(command, rest);
}

function run(command, args) {
  return execFileSync(command, args, { cwd: tools, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function isOnPath(name) {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}

function fail(error) {
  const absent = missing.filter(({ name }) => !existsSync(join(bin, name)));
  console.error(`The tests need ${absent.map(({ name }) => name).join(" and ")}, and it could not be fetched:
  ${error.message.trim().split("\n").join("\n  ")}
Install it, then run the tests again:
  sudo apt-get install ${absent.map(({ install }) => install).join(" ")}`);
  process.exit(1);
}
