"""Rewards for PrimeIntellect's verifiers whose verdicts come from `cipo serve`.

`cipo_reward` for tasks of `verifiers.v1`, named in the configuration of a taskset:

    [env.taskset.task.rewards.cipo]
    fn = "/path/to/cipo_verifiers.py:cipo_reward"

`cipo_rubric()` for environments with a Rubric, as verifiers 0.1 has them.

The fields of the task are the row: `answer` for math, `language` and `tests` for code. What has no judgement is an
error of its rollout, which verifiers and its trainers leave out, and never a reward.
"""

import asyncio
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


class NoJudgement(RuntimeError):
    """Nothing proves the answer right or wrong, or its row cannot be read."""


async def verdict_of(row, **how):
    return (await asyncio.to_thread(judge, [row], **how))[0]


def words(verdict):
    return f"cipo: {verdict['status']}: {[finding['message'] for finding in verdict['diagnostics']]}"


async def cipo_reward(task, trace) -> float:
    """A plugged reward of `verifiers.v1`. Raises without a judgement: the trace gets an error and no reward."""
    row = task.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    verdict = await verdict_of({**row, "response": trace.last_reply})
    if verdict["reward"] is None:
        raise NoJudgement(words(verdict))
    return float(verdict["reward"])


def cipo_rubric(row=None, **how):
    """A Rubric. `row`: fields for every row; `how`: for `judge`. Rollouts without a judgement get `state["error"]`."""
    import verifiers as vf

    class CipoRubric(vf.Rubric):
        def __init__(self):
            async def cipo(state, **_):
                return float(state["cipo"]["reward"])

            super().__init__(funcs=[cipo])

        async def score_rollout(self, state):
            if await self.judged(state):
                await super().score_rollout(state)

        async def score_group(self, states):
            judged = await asyncio.gather(*(self.judged(state) for state in states))
            await super().score_group([state for state, is_judged in zip(states, judged) if is_judged])

        async def judged(self, state):
            """False for a rollout that goes without a reward: in no baseline, with no advantage, marked as an error."""
            state["cipo"] = verdict = await verdict_of(self.row_of(state), **how)
            if verdict["reward"] is not None:
                return True
            kind = vf.InfraError if verdict["status"] in PASSING else vf.Error  # the first kind is tried again
            state["error"] = kind(words(verdict))
            state["reward"], state["advantage"], state["metrics"] = float("nan"), 0.0, {}
            for step in state.get("trajectory", []):
                step["reward"], step["advantage"] = state["reward"], 0.0
            return False

        def row_of(self, state):
            completion = state["completion"]
            answer = completion if isinstance(completion, str) else (completion[-1].get("content") or "")
            known = {"answer": state.get("answer"), "info": state.get("info")}
            fields = {key: value for key, value in known.items() if value not in (None, "", {})}
            return {**(row or {}), **fields, "prompt": state["prompt"], "response": answer}

    return CipoRubric()
