"""Rewards for PrimeIntellect's verifiers that get their verdicts from `cipo serve`.

`cipo_reward` is for tasks of `verifiers.v1`. Name it in the configuration of a task set:

    [env.taskset.task.rewards.cipo]
    fn = "/path/to/cipo_verifiers.py:cipo_reward"

`cipo_rubric()` is for environments with a Rubric, as in verifiers 0.1.

The fields of the task form the row: `answer` for math, `language` and `tests` for code. A response that was not judged is
an error of its rollout, which verifiers and its trainers leave out. It is never a reward.
"""

import asyncio

# --- begin: copy of integrations/client.py ---
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

TRANSIENT = {"infra_error", "overloaded", "aborted"}  # statuses whose cause is not the row: it is sent again
RETRIED = {429, 502, 503, 504}  # HTTP statuses after which a request is sent again
REQUEST_TIMEOUT_SECONDS = 300
MAX_PAUSE_SECONDS = 30.0
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open  # ignores HTTP_PROXY: the judge is internal


def judge(rows, url=None, token=None, retry_seconds=600.0, batch=64, concurrency=8):
    """Returns verdicts in the order of the rows.

    Retries while the server is busy or unreachable, and raises RuntimeError when `retry_seconds` have passed or the
    server rejects the request. `batch`: rows per request. `concurrency`: requests at a time.
    """
    url = (url or os.environ.get("CIPO_URL", "http://127.0.0.1:8377")).rstrip("/")
    token = token or os.environ.get("CIPO_TOKEN")
    deadline = time.monotonic() + retry_seconds
    batches = [rows[i : i + batch] for i in range(0, len(rows), batch)]
    with ThreadPoolExecutor(concurrency) as threads:
        results = threads.map(lambda part: _judge_batch(part, url, token, deadline), batches)
        return [verdict for verdicts in results for verdict in verdicts]


def _judge_batch(rows, url, token, deadline):
    """Sends rows that were not judged for a transient reason again, until the deadline."""
    verdicts = _post(rows, url, token, deadline)
    pause = 1.0
    while pending := [i for i, verdict in enumerate(verdicts) if verdict["status"] in TRANSIENT]:
        if time.monotonic() + pause > deadline:
            break
        time.sleep(pause)
        pause = min(MAX_PAUSE_SECONDS, pause * 2)
        for i, verdict in zip(pending, _post([rows[i] for i in pending], url, token, deadline)):
            verdicts[i] = verdict
    return verdicts


def _to_json(value):
    """Converts values of NumPy, Pydantic and OmegaConf, which data sets and trainers put into rows."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_none=True)
    return dict(value) if isinstance(value, Mapping) else list(value) if isinstance(value, Sequence) else str(value)


def _post(rows, url, token, deadline):
    """One request to /v1/verify, sent again after a retryable failure until the deadline."""
    body = json.dumps({"rows": rows}, default=_to_json)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    while True:
        try:
            request = urllib.request.Request(f"{url}/v1/verify", body.encode(), headers)
            with _open(request, timeout=REQUEST_TIMEOUT_SECONDS) as reply:
                return json.load(reply)["rows"]
        except urllib.error.HTTPError as error:
            message = error.read(2000).decode(errors="replace")
            if error.code not in RETRIED:
                raise RuntimeError(f"cipo serve rejected the rows: {error.code} {message}") from None
            failure, pause = f"{error.code} {message}", float(error.headers.get("Retry-After") or 1)
        except (OSError, http.client.HTTPException) as error:
            failure, pause = repr(error), 1.0
        pause += random.random()
        if time.monotonic() + pause > deadline:
            raise RuntimeError(f"cipo serve at {url} returned no verdicts in time: {failure}")
        time.sleep(pause)
# --- end: copy of integrations/client.py ---


class NotJudged(RuntimeError):
    """The response was proved neither correct nor incorrect, or its row cannot be read."""


async def verdict_of(row, **options):
    return (await asyncio.to_thread(judge, [row], **options))[0]


def describe(verdict):
    messages = [diagnostic["message"] for diagnostic in verdict["diagnostics"]]
    return f"cipo: {verdict['status']}: {messages}"


async def cipo_reward(task, trace) -> float:
    """A reward function of `verifiers.v1`. Raises if the response was not judged: the trace gets an error and no reward."""
    row = task.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    verdict = await verdict_of({**row, "response": trace.last_reply})
    if verdict["reward"] is None:
        raise NotJudged(describe(verdict))
    return float(verdict["reward"])


def cipo_rubric(row=None, **options):
    """A Rubric. Rollouts that were not judged get `state["error"]`.

    `row`: default fields of every row. `options`: arguments of `judge`.
    """
    import verifiers as vf

    class CipoRubric(vf.Rubric):
        def __init__(self):
            async def cipo(state, **_):
                return float(state["cipo"]["reward"])

            super().__init__(funcs=[cipo])

        async def score_rollout(self, state):
            if await self.is_judged(state):
                await super().score_rollout(state)

        async def score_group(self, states):
            judged = await asyncio.gather(*(self.is_judged(state) for state in states))
            await super().score_group([state for state, is_judged in zip(states, judged) if is_judged])

        async def is_judged(self, state):
            """Judges a rollout. One that was not judged is marked as an error: in no baseline, with the advantage 0."""
            state["cipo"] = verdict = await verdict_of(self.row_of(state), **options)
            if verdict["reward"] is not None:
                return True
            kind = vf.InfraError if verdict["status"] in TRANSIENT else vf.Error  # verifiers retries the first kind
            state["error"] = kind(describe(verdict))
            state["reward"], state["advantage"], state["metrics"] = float("nan"), 0.0, {}
            for step in state.get("trajectory", []):
                step["reward"], step["advantage"] = state["reward"], 0.0
            return False

        def row_of(self, state):
            completion = state["completion"]
            response = completion if isinstance(completion, str) else (completion[-1].get("content") or "")
            known = {"answer": state.get("answer"), "info": state.get("info")}
            fields = {key: value for key, value in known.items() if value not in (None, "", {})}
            return {**(row or {}), **fields, "prompt": state["prompt"], "response": response}

    return CipoRubric()
