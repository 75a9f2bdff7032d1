"""The client that the three files share, against a server that is short of room. Usage: client.py"""
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


RIGHT, BUSY, NEVER = verdict("accepted", 1), verdict("overloaded"), verdict("undecided")
script = []
asked = []


class Script(BaseHTTPRequestHandler):
    """Answers with the next entry of the script: a status, or verdicts."""

    def do_POST(self):
        asked.append(len(json.loads(self.rfile.read(int(self.headers["content-length"])))["rows"]))
        entry = script.pop(0) if len(script) > 1 else script[0]
        if entry == "hang up":
            return self.connection.close()
        status, body = (200, {"rows": entry}) if isinstance(entry, list) else (entry, {"error": {"code": "said-so"}})
        data = json.dumps(body).encode()
        self.send_response(status)
        if status in (429, 503):
            self.send_header("retry-after", "0.1")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def check(what, holds):
    if not holds:
        raise SystemExit(f"not so: {what}")


def load(path):
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shared_part(path):
    text = path.read_text()
    return text[text.index("PASSING = ") : text.index("        time.sleep(pause)\n\n\n") + 1]


def told(judge, url, replies, rows=1, **how):
    script[:], asked[:] = replies, []
    return judge([{}] * rows, url, **how)


def raises(words, judge, url, replies, **how):
    try:
        told(judge, url, replies, **how)
    except RuntimeError as error:
        return words in str(error)
    return False


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Script)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    check("the three files share one client", len({shared_part(path) for path in FILES}) == 1)
    for path in FILES:
        judge = load(path).judge
        check("429, 503 and a lost connection are asked again", told(judge, url, [429, 503, "hang up", [RIGHT]]) == [RIGHT])
        check("a busy row is asked again, alone", told(judge, url, [[RIGHT, BUSY], [RIGHT]], rows=2) == [RIGHT, RIGHT])
        check("and only that row", asked == [2, 1])
        check("what stays undecided has no reward", told(judge, url, [[NEVER]])[0]["reward"] is None)
        check("what stays busy has no reward", told(judge, url, [[BUSY]], patience=0.5)[0]["reward"] is None)
        check("a refusal is told at once", raises("401", judge, url, [401]) and asked == [1])
        check("a server without room is told in the end", raises("gave no verdicts in time: 429", judge, url, [429], patience=0.5))
        check("many rows go in parts", len(told(judge, url, [[RIGHT]], rows=5, batch=1)) == 5 and asked == [1] * 5)
    server.shutdown()
    print(f"the client of {', '.join(path.name for path in FILES)}")
    print("  429, 503, lost connections and busy rows are asked again; refusals raise; what has no judgement has no reward")


if __name__ == "__main__":
    sys.exit(main())
