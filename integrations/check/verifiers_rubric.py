"""An environment of verifiers 0.1 scored by its Rubric, which is `cipo_rubric()`. Usage: verifiers_rubric.py URL

What is real: SingleTurnEnv, its rollouts, groups and scoring, over HTTP to a model. What is not: the model, which is a
server in this file that answers every question with what the question says.
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

os.environ.update(HF_DATASETS_DISABLE_PROGRESS_BARS="1", PARROT_KEY="none")
sys.path.insert(0, str(Path(__file__).parents[1] / "verifiers"))
logging.disable(logging.WARNING)

import verifiers as vf
from cipo_verifiers import cipo_rubric
from datasets import Dataset


class Parrot(BaseHTTPRequestHandler):
    """Answers `/chat/completions` with the last message."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message = {"role": "assistant", "content": asked["messages"][-1]["content"]}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": "parrot",
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


def check(what, holds):
    if not holds:
        raise SystemExit(f"not so: {what}")


TESTS = {"type": "assert", "code": "assert add(1, 2) == 3"}
CODE = {"domain": "code", "language": "python", "tests": TESTS}
ROWS = [
    {"question": "so \\boxed{0.5}", "answer": "1/2"},
    {"question": "so \\boxed{2}", "answer": "1/2"},
    {"question": "```python\ndef add(a, b): return a + b\n```", "answer": "", "info": json.dumps(CODE)},
]


async def main(url):
    print(f"verifiers {version('verifiers')}")
    parrot = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    threading.Thread(target=parrot.serve_forever, daemon=True).start()
    client = vf.ClientConfig(api_base_url=f"http://127.0.0.1:{parrot.server_port}/v1", api_key_var="PARROT_KEY")
    rubric = cipo_rubric(url=url)
    env = vf.SingleTurnEnv(dataset=Dataset.from_list([{"info": "{}", **row} for row in ROWS]), rubric=rubric)

    outputs = (await env.evaluate(client, "parrot", on_progress=lambda *_: None))["outputs"]
    check("each reward is the right one", [output["reward"] for output in outputs] == [1.0, 0.0, 1.0])
    print("  SingleTurnEnv.evaluate: 3 rollouts, rewards 1 0 1")

    prompt = [{"role": "user", "content": "?"}]
    answers = ["\\boxed{1}", "\\boxed{2}", "\\boxed{2}"]
    states = [state_of(prompt, answer, "\\frac{" if i == 2 else "1") for i, answer in enumerate(answers)]
    await rubric.score_group(states)
    check("judged rollouts are a group", [state["advantage"] for state in states] == [0.5, -0.5, 0.0])
    check("the one without a judgement is an error", "bad_task" in str(states[2]["error"]) and math.isnan(states[2]["reward"]))
    print("  score_group: a rollout without a judgement is in no baseline, has advantage 0, and state['error'] says why")
    parrot.shutdown()


def state_of(prompt, answer, truth):
    step = {"advantage": None, "reward": None}
    return vf.State(prompt=prompt, completion=[{"role": "assistant", "content": answer}], answer=truth, info={},
                    trajectory=[step], input={"prompt": prompt, "answer": truth}, task="t")


asyncio.run(main(sys.argv[1].rstrip("/")))
