"""A reward function for TRL's GRPOTrainer and RLOOTrainer that gets its verdicts from `cipo serve`.

    trainer = GRPOTrainer(reward_funcs=CipoReward("http://127.0.0.1:8377"), train_dataset=dataset, ...)

The columns of the data set form the row: `answer` for math, `language` and `tests` for code. `docs/reference/rows.md` lists
all columns. A completion that was not judged gets None: TRL excludes it from the baseline of its group and gives it the
advantage 0.
"""
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

# Columns that could be taken for the response.
RESPONSE_COLUMNS = {"response", "completion", "completions", "solution_str", "output", "messages"}
# Arguments of TRL that are not columns of the data set.
TRL_ARGUMENTS = {"completion_ids", "environments"}


class CipoReward:
    """A callable for `reward_funcs`.

    `row`: default fields of every row, such as `{"domain": "math", "options": {"extraction": "any"}}`.
    `options`: further arguments of `judge`.
    """

    def __init__(self, url=None, token=None, row=None, **options):
        self.__name__ = "cipo"  # TRL uses it in the names of metrics
        self.row, self.options = row or {}, {"url": url, "token": token, **options}

    def __call__(self, prompts, completions, log_extra=None, log_metric=None, **columns):
        size = len(completions)
        columns = {
            name: values
            for name, values in columns.items()
            if isinstance(values, list) and len(values) == size and name not in RESPONSE_COLUMNS | TRL_ARGUMENTS
        }
        rows = [
            {
                **self.row,
                **{name: values[i] for name, values in columns.items()},
                "prompt": prompts[i],
                "response": text_of(completions[i]),
            }
            for i in range(size)
        ]
        verdicts = judge(rows, **self.options)
        void = [verdict["reward"] is None for verdict in verdicts]
        if log_extra:
            log_extra("cipo_status", [verdict["status"] for verdict in verdicts])
        if log_metric:
            log_metric("cipo/void", sum(void) / max(1, size))
        return [verdict["reward"] for verdict in verdicts]


def text_of(completion):
    """The completion itself, or the text of its last message if it is a conversation."""
    return completion if isinstance(completion, str) else (completion[-1].get("content") or "")
