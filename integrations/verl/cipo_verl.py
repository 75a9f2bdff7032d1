"""A custom reward function for verl that gets its verdicts from `cipo serve`.

    reward.custom_reward_function.path=/path/to/cipo_verl.py reward.custom_reward_function.name=compute_score
    +reward.custom_reward_function.reward_kwargs.url=http://127.0.0.1:8377

The rows of verl need no conversion (`reward_model.ground_truth`, `extra_info`). A response that was not judged raises,
because verl would use any number as a reward. With `+reward.custom_reward_function.reward_kwargs.void=nan` its score is NaN
instead, which only `algorithm.adv_estimator=cipo_grpo` excludes from the baseline: see docs/guide/integrations.md.
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

# Arguments of verl that are not fields of the row.
VERL_ARGUMENTS = {
    "reward_router_address",
    "reward_model_tokenizer",
    "sandbox_fusion_url",
    "concurrent_semaphore",
    "memory_limit_mb",
}


class NotJudged(RuntimeError):
    """The response was proved neither correct nor incorrect, or its row cannot be read."""


def compute_score(
    data_source,
    solution_str,
    ground_truth,
    extra_info=None,
    url=None,
    token=None,
    retry_seconds=600.0,
    void="raise",
    **fields,
):
    """Called by verl for one response. Further `reward_kwargs` are fields of every row (`domain`, `options`, `language`)."""
    extra = {key: value for key, value in (extra_info or {}).items() if key not in ("num_turns", "rollout_reward_scores")}
    row = {key: value for key, value in fields.items() if key not in VERL_ARGUMENTS}
    row |= {"data_source": data_source, "reward_model": {"ground_truth": ground_truth}, "extra_info": extra}
    [verdict] = judge([{**row, "response": solution_str}], url, token, retry_seconds)
    reward = verdict["reward"]
    if reward is None and str(void).lower() != "nan":  # the command line converts nan to a number
        messages = [diagnostic["message"] for diagnostic in verdict["diagnostics"]]
        raise NotJudged(f"{verdict['status']}: {messages}")
    score = float("nan") if reward is None else float(reward)
    return {"score": score, "acc": score, "status": verdict["status"]}


def masked_grpo(token_level_rewards, response_mask, index, config=None, **_):
    """verl's GRPO over the responses that were judged. The others have the advantage 0 and are in no baseline."""
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    judged = ~token_level_rewards.sum(dim=-1).isnan()
    advantages = response_mask.new_zeros(response_mask.shape, dtype=token_level_rewards.dtype)
    if judged.any():
        by_std = True if config is None else config.get("norm_adv_by_std_in_grpo", True)
        advantages[judged], _ = compute_grpo_outcome_advantage(
            token_level_rewards[judged],
            response_mask[judged],
            index[judged.cpu().numpy()],
            norm_adv_by_std_in_grpo=by_std,
        )
    return advantages, advantages


try:
    from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
    from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY
except ImportError:  # without verl, for example to score saved responses
    pass
else:
    ADV_ESTIMATOR_REGISTRY["cipo_grpo"] = masked_grpo

    class CipoRewardManager(NaiveRewardManager):
        """Name it in the configuration: the process of the trainer then loads this file and registers the estimator."""
