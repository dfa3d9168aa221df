// The gates of gates.json with k6: `k6 run -e GATE=spike -e URL=https://parley.example -e SLACK_SIGNING_SECRET=… k6.js`.
// Each message is of another person in another conversation, and signed as Slack signs it. `tasks` waits for no answer here:
// `npm run load` does.
import { check, sleep } from "k6";
import crypto from "k6/crypto";
import exec from "k6/execution";
import http from "k6/http";

const gate = JSON.parse(open("./gates.json"))[__ENV.GATE || "spike"];
const url = `${__ENV.URL || "http://127.0.0.1:8080"}/webhooks/slack`;
const secret = __ENV.SLACK_SIGNING_SECRET;

export const options = {
  scenarios: {
    gate: gate.users
      ? {
          executor: "ramping-vus",
          stages: gate.users.map(({ seconds, to }) => ({ duration: `${seconds}s`, target: to })),
        }
      : {
          executor: "constant-arrival-rate",
          rate: Math.round(gate.per_second * 60),
          timeUnit: "1m",
          duration: `${gate.seconds}s`,
          preAllocatedVUs: 100,
          maxVUs: 1000,
        },
  },
  thresholds: {
    http_req_duration: [`p(95)<${gate.p95_ms}`],
    http_req_failed: [`rate<=${gate.failed}`],
    checks: [`rate>=${1 - gate.failed}`],
  },
};

export default function () {
  const n = `${exec.scenario.iterationInTest}`.padStart(7, "0");
  const nowMs = Date.now();
  const timestamp = `${Math.floor(nowMs / 1000)}`;
  const ts = `${timestamp}.${n}`;
  const body = JSON.stringify({
    token: "load",
    team_id: "T1",
    api_app_id: "A1",
    type: "event_callback",
    event_id: `Ev${nowMs}${n}`,
    event_time: Number(timestamp),
    event: {
      type: "message",
      channel_type: "im",
      channel: `D${n}`,
      user: `U${n}`,
      team: "T1",
      text: `load ${n}`,
      ts,
      event_ts: ts,
    },
    authorizations: [
      { enterprise_id: null, team_id: "T1", user_id: "UBOT", is_bot: true, is_enterprise_install: false },
    ],
  });
  const signature = crypto.hmac("sha256", secret, `v0:${timestamp}:${body}`, "hex");
  const answer = http.post(url, body, {
    headers: {
      "content-type": "application/json",
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": `v0=${signature}`,
    },
  });
  check(answer, { "is 200": ({ status }) => status === 200 });
  if (gate.pause_seconds) sleep(gate.pause_seconds);
}
