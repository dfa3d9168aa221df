// Prints what becomes of the messages of a workspace, as it happens, and comes back when the connection is lost.
// PARLEY_TOKEN=parley_tok_… node live-events.mjs ws://127.0.0.1:8080/ws
// Needs Node 22 and nothing else; a browser does the same, without the two lines about `process`.
import process from "node:process";

const address = process.argv[2] ?? "ws://127.0.0.1:8080/ws";
const token = process.env.PARLEY_TOKEN ?? "";

const DELAY_MS_MIN = 500;
const DELAY_MS_MAX = 10_000;
let delayMs = DELAY_MS_MIN;

function connect() {
  // As a protocol: a page can set no header, and an address stands in logs.
  const bearer = btoa(token).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const socket = new WebSocket(address, ["parley.live.v1", `parley.bearer.${bearer}`]);

  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === "event") console.log(frame.at, frame.state, frame.id);
    else console.error(data);
    // From here on nothing is missed; what came before, GET /api/v1/events has.
    if (frame.type === "watching") delayMs = DELAY_MS_MIN;
  });
  socket.addEventListener("close", ({ code, reason }) => {
    console.error(`closed: ${code} ${reason}`);
    if (code === 4401) return;
    setTimeout(connect, delayMs * (0.5 + Math.random()));
    delayMs = Math.min(2 * delayMs, DELAY_MS_MAX);
  });
}

connect();
