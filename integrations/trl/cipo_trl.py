"""A reward function for TRL's GRPOTrainer (and RLOOTrainer) whose verdicts come from `cipo serve`.

    trainer = GRPOTrainer(reward_funcs=CipoReward("http://127.0.0.1:8377"), train_dataset=dataset, ...)

The columns of the data set are the row: `answer` for math, `language` and `tests` for code, as `docs/guide/verify.md` has
them. A completion without a judgement gets None: TRL leaves it out of its group's baseline and gives it advantage 0.
"""
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

PASSING = {"infra_error", "overloaded", "aborted"}  # nothing is wrong with these rows: asked again
BUSY = {429, 502, 503, 504}
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # the judge is not behind a proxy


def judge(rows, url=None, token=None, patience=600.0, batch=64, concurrency=8):
    """Verdicts in the order of the rows. Raises when the server refuses them, or has no room for `patience` seconds."""
    url = (url or os.environ.get("CIPO_URL", "http://127.0.0.1:8377")).rstrip("/")
    token = token or os.environ.get("CIPO_TOKEN")
    deadline = time.monotonic() + patience
    chunks = [rows[i : i + batch] for i in range(0, len(rows), batch)]
    with ThreadPoolExecutor(concurrency) as threads:
        return [v for part in threads.map(lambda chunk: _judge(chunk, url, token, deadline), chunks) for v in part]


def _judge(rows, url, token, deadline):
    verdicts = _post(rows, url, token, deadline)
    pause = 1.0
    while open_ := [i for i, verdict in enumerate(verdicts) if verdict["status"] in PASSING]:
        if time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
        pause = min(30.0, pause * 2)
        for i, verdict in zip(open_, _post([rows[i] for i in open_], url, token, deadline)):
            verdicts[i] = verdict
    return verdicts


def _plain(value):
    """Values of NumPy, Pydantic and OmegaConf, which data sets and trainers put into rows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_none=True)
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, Sequence) else str(value)


def _post(rows, url, token, deadline):
    body = json.dumps({"rows": rows}, default=_plain)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    while True:
        try:
            with _open(urllib.request.Request(f"{url}/v1/verify", body.encode(), headers), timeout=300) as reply:
                return json.load(reply)["rows"]
        except urllib.error.HTTPError as error:
            said = error.read(2000).decode(errors="replace")
            if error.code not in BUSY:
                raise RuntimeError(f"cipo serve refused the rows: {error.code} {said}") from None
            trouble, pause = f"{error.code} {said}", float(error.headers.get("Retry-After") or 1)
        except (OSError, http.client.HTTPException) as error:
            trouble, pause = repr(error), 1.0
        pause += random.random()
        if time.monotonic() + pause > deadline:
            raise RuntimeError(f"cipo serve at {url} gave no verdicts in time: {trouble}")
        time.sleep(pause)


ANSWERS = {"response", "completion", "completions", "solution_str", "output", "messages"}  # what only an answer may be


class CipoReward:
    """`row`: fields for every row, like `{"domain": "math", "options": {"extraction": "any"}}`. `how`: for `judge`."""

    def __init__(self, url=None, token=None, row=None, **how):
        self.__name__ = "cipo"  # TRL names its metrics after it
        self.row, self.how = row or {}, {"url": url, "token": token, **how}

    def __call__(self, prompts, completions, log_extra=None, log_metric=None, **columns):
        size = len(completions)
        columns = {
            name: values
            for name, values in columns.items()
            if isinstance(values, list) and len(values) == size and name not in ANSWERS | {"completion_ids", "environments"}
        }
        rows = [
            {**self.row, **{k: v[i] for k, v in columns.items()}, "prompt": prompts[i], "response": text(completions[i])}
            for i in range(size)
        ]
        verdicts = judge(rows, **self.how)
        void = [verdict["reward"] is None for verdict in verdicts]
        if log_extra:
            log_extra("cipo_status", [verdict["status"] for verdict in verdicts])
        if log_metric:
            log_metric("cipo/void", sum(void) / max(1, size))
        return [verdict["reward"] for verdict in verdicts]


def text(completion):
    """The answer: text as it is, or the last turn of a conversation."""
    return completion if isinstance(completion, str) else (completion[-1].get("content") or "")
