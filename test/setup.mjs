// Brings what the tests need and npm cannot: promtool, from Debian's prometheus package, unpacked beside the
// modules and not installed, so that no service starts. Plain JavaScript: it also runs on Node 20.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

const tools = resolve(import.meta.dirname, "../node_modules/.cache/parley-tools");
const promtool = join(tools, "usr/bin/promtool");

if (!isOnPath("promtool") && !existsSync(promtool)) {
  mkdirSync(tools, { recursive: true });
  try {
    unpack();
  } catch {
    try {
      apt(["update", "-q"]);
      unpack();
    } catch (error) {
      fail(error);
    }
  }
}

function unpack() {
  execFileSync("apt-get", ["download", "-q", "prometheus"], {
    cwd: tools,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const archive = readdirSync(tools).find((name) => name.startsWith("prometheus_") && name.endsWith(".deb"));
  execFileSync("dpkg", ["-x", archive, tools], { cwd: tools });
}

function apt(args) {
  const isRoot = process.getuid?.() === 0;
  const [command, ...rest] = isRoot ? ["apt-get", ...args] : ["sudo", "-n", "apt-get", ...args];
  execFileSync(command, rest, { stdio: ["ignore", "ignore", "pipe"] });
}

function isOnPath(name) {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}

function fail(error) {
  console.error(`The tests need promtool, and it could not be fetched (${error.message.split("\n")[0]}).
Install it, then run the tests again:
  sudo apt-get install prometheus`);
  process.exit(1);
}
