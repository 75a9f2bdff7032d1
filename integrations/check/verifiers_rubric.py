"""An environment of verifiers 0.1 scored by `cipo_rubric()`. Usage: verifiers_rubric.py URL

Real: SingleTurnEnv with its rollouts, groups and scoring, over HTTP to a model. Not real: the model, a server in this file
that returns the question as its response.
"""
import asyncio
import json
import logging
import math
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

os.environ.update(HF_DATASETS_DISABLE_PROGRESS_BARS="1", ECHO_KEY="none")
sys.path.insert(0, str(Path(__file__).parents[1] / "verifiers"))
logging.disable(logging.WARNING)

import verifiers as vf
from cipo_verifiers import cipo_rubric
from datasets import Dataset


class EchoModel(BaseHTTPRequestHandler):
    """Replies to `/chat/completions` with the last message."""

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message = {"role": "assistant", "content": request["messages"][-1]["content"]}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "echo",
                 "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                 "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}
        body = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def check(fact, holds):
    if not holds:
        raise SystemExit(f"check failed: {fact}")


TESTS = {"type": "assert", "code": "assert add(1, 2) == 3"}
CODE = {"domain": "code", "language": "python", "tests": TESTS}
ROWS = [
    {"question": "so \\boxed{0.5}", "answer": "1/2"},
    {"question": "so \\boxed{2}", "answer": "1/2"},
    {"question": "```python\ndef add(a, b): return a + b\n```", "answer": "", "info": json.dumps(CODE)},
]


async def main(url):
    print(f"verifiers {version('verifiers')}")
    echo = ThreadingHTTPServer(("127.0.0.1", 0), EchoModel)
    threading.Thread(target=echo.serve_forever, daemon=True).start()
    client = vf.ClientConfig(api_base_url=f"http://127.0.0.1:{echo.server_port}/v1", api_key_var="ECHO_KEY")
    rubric = cipo_rubric(url=url)
    env = vf.SingleTurnEnv(dataset=Dataset.from_list([{"info": "{}", **row} for row in ROWS]), rubric=rubric)

    outputs = (await env.evaluate(client, "echo", on_progress=lambda *_: None))["outputs"]
    check("each rollout gets its reward", [output["reward"] for output in outputs] == [1.0, 0.0, 1.0])
    print("  SingleTurnEnv.evaluate: 3 rollouts, rewards 1 0 1")

    prompt = [{"role": "user", "content": "?"}]
    responses = ["\\boxed{1}", "\\boxed{2}", "\\boxed{2}"]
    states = [state_of(prompt, response, "\\frac{" if i == 2 else "1") for i, response in enumerate(responses)]
    await rubric.score_group(states)
    check("the judged rollouts form the group", [state["advantage"] for state in states] == [0.5, -0.5, 0.0])
    check("the rollout that was not judged is an error", "bad_task" in str(states[2]["error"]) and math.isnan(states[2]["reward"]))
    print("  score_group: a rollout that was not judged is in no baseline, has advantage 0 and a reason in state['error']")
    echo.shutdown()


def state_of(prompt, response, reference):
    step = {"advantage": None, "reward": None}
    return vf.State(prompt=prompt, completion=[{"role": "assistant", "content": response}], answer=reference, info={},
                    trajectory=[step], input={"prompt": prompt, "answer": reference}, task="t")


asyncio.run(main(sys.argv[1].rstrip("/")))
