"""Tests the client that the three integrations share, with a scripted server that is busy. Usage: client.py"""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

FOLDER = Path(__file__).parents[1]
FILES = [FOLDER / name / f"cipo_{name}.py" for name in ("trl", "verl", "verifiers")]


def verdict(status, reward=None):
    return {"id": "", "status": status, "passed": None, "reward": reward, "diagnostics": [], "cpuMs": 0, "wallMs": 0}


ACCEPTED, BUSY, UNDECIDED = verdict("accepted", 1), verdict("overloaded"), verdict("undecided")
script = []
request_sizes = []


class ScriptedServer(BaseHTTPRequestHandler):
    """Replies with the next entry of the script: a status, or verdicts."""

    def do_POST(self):
        request_sizes.append(len(json.loads(self.rfile.read(int(self.headers["content-length"])))["rows"]))
        entry = script.pop(0) if len(script) > 1 else script[0]
        if entry == "disconnect":
            return self.connection.close()
        status, body = (200, {"rows": entry}) if isinstance(entry, list) else (entry, {"error": {"code": "scripted"}})
        data = json.dumps(body).encode()
        self.send_response(status)
        if status in (429, 503):
            self.send_header("retry-after", "0.1")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def check(fact, holds):
    if not holds:
        raise SystemExit(f"check failed: {fact}")


def load(path):
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(judge, url, replies, rows=1, **options):
    script[:], request_sizes[:] = replies, []
    return judge([{}] * rows, url, **options)


def raises(message, judge, url, replies, **options):
    try:
        call(judge, url, replies, **options)
    except RuntimeError as error:
        return message in str(error)
    return False


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), ScriptedServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    for path in FILES:
        judge = load(path).judge
        check("429, 503 and a lost connection are retried", call(judge, url, [429, 503, "disconnect", [ACCEPTED]]) == [ACCEPTED])
        check("a busy row is retried", call(judge, url, [[ACCEPTED, BUSY], [ACCEPTED]], rows=2) == [ACCEPTED, ACCEPTED])
        check("only the busy row is sent again", request_sizes == [2, 1])
        check("an undecided row has no reward", call(judge, url, [[UNDECIDED]])[0]["reward"] is None)
        check("a row that stays busy has no reward", call(judge, url, [[BUSY]], retry_seconds=0.5)[0]["reward"] is None)
        check("a rejected request raises at once", raises("401", judge, url, [401]) and request_sizes == [1])
        check("a server that stays busy raises", raises("returned no verdicts in time: 429", judge, url, [429], retry_seconds=0.5))
        check("many rows are sent in batches", len(call(judge, url, [[ACCEPTED]], rows=5, batch=1)) == 5 and request_sizes == [1] * 5)
    server.shutdown()
    print(f"the client of {', '.join(path.name for path in FILES)}")
    print("  429, 503, lost connections and busy rows are retried; rejected requests raise; void rows have no reward")


if __name__ == "__main__":
    sys.exit(main())
