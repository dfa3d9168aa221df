"""A remote agent for Parley: python3 remote_agent.py (3.9 or newer, no packages). docs/remote-agents.md has the protocol."""
import base64
import hashlib
import hmac
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ.get("AGENT_SECRET", "").removeprefix("whsec_"))
BODY_BYTES_MAX = 16 * 1024 * 1024
TOLERANCE_SECONDS = 300


def is_signed(headers, body):
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not KEY or not re.fullmatch(r"\d{1,12}", timestamp):
        return False
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(one.encode(), expected.encode()) for one in given)


def answer(turn, say):
    decision = turn.get("decision")
    if turn["text"] == "deploy" and decision is None:
        say("ask", {"id": "deploy", "question": "Deploy to production?", "choices": ["Deploy", "Not now"]})
        say("end", {"stop": "end"})
        return
    # Goes out with the answer; `data_base64` is for what is no text.
    if turn["text"] == "report":
        say("file", {"name": "report.csv", "mime": "text/csv", "text": "who,how many\nAnn,3\n"})
    if decision is not None:
        by = (decision["by"] or {}).get("name", "Nobody")
        text = f"{by} chose {decision['choice'] or 'nothing'}."
    else:
        text = f"Hello {turn['sender']['name']}, you said: {turn['text']}"
    # Your own model or runtime belongs here. The same turn_id must give the same answer.
    for word in re.findall(r"\s*\S+", text):
        say("text", {"text": word})
    say("usage", {"input_tokens": 10, "output_tokens": 10, "cost_cents": 0})
    say("end", {"stop": "end"})


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        if length > BODY_BYTES_MAX:
            return self.send_error(413)
        body = self.rfile.read(length)
        if not is_signed(self.headers, body):
            return self.send_error(401)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("cache-control", "no-cache")
        self.end_headers()

        def say(event, data):
            self.wfile.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()

        answer(json.loads(body), say)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8090"))), Handler)
    print(f"listening on {server.server_address[1]}", flush=True)
    server.serve_forever()
