"""A custom reward function for verl whose verdicts come from `cipo serve`.

    reward.custom_reward_function.path=/path/to/cipo_verl.py reward.custom_reward_function.name=compute_score
    +reward.custom_reward_function.reward_kwargs.url=http://127.0.0.1:8377

verl's rows are understood as they are (`reward_model.ground_truth`, `extra_info`). What has no judgement raises, for
verl would take any number as a reward. With `+reward.custom_reward_function.reward_kwargs.void=nan` it is NaN instead,
which only `algorithm.adv_estimator=cipo_grpo` leaves out of the baseline: see the README.
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


NOT_ROW = {"reward_router_address", "reward_model_tokenizer", "sandbox_fusion_url", "concurrent_semaphore", "memory_limit_mb"}


class NoJudgement(RuntimeError):
    """Nothing proves the answer right or wrong, or its row cannot be read."""


def compute_score(
    data_source, solution_str, ground_truth, extra_info=None, url=None, token=None, patience=600.0, void="raise", **row
):
    """Called by verl for one answer. Further `reward_kwargs` are fields of every row (`domain`, `options`, `language`)."""
    extra = {key: value for key, value in (extra_info or {}).items() if key not in ("num_turns", "rollout_reward_scores")}
    fields = {key: value for key, value in row.items() if key not in NOT_ROW}
    asked = {"data_source": data_source, "reward_model": {"ground_truth": ground_truth}, "extra_info": extra}
    [verdict] = judge([{**fields, **asked, "response": solution_str}], url, token, patience)
    reward = verdict["reward"]
    if reward is None and str(void).lower() != "nan":  # a command line makes a number of it
        raise NoJudgement(f"{verdict['status']}: {[finding['message'] for finding in verdict['diagnostics']]}")
    score = float("nan") if reward is None else float(reward)
    return {"score": score, "acc": score, "status": verdict["status"]}


def masked_grpo(token_level_rewards, response_mask, index, config=None, **_):
    """verl's GRPO over the answers that have a judgement; advantage 0 for the others, which are in no baseline."""
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    known = ~token_level_rewards.sum(dim=-1).isnan()
    advantages = response_mask.new_zeros(response_mask.shape, dtype=token_level_rewards.dtype)
    if known.any():
        by_std = True if config is None else config.get("norm_adv_by_std_in_grpo", True)
        advantages[known], _ = compute_grpo_outcome_advantage(
            token_level_rewards[known], response_mask[known], index[known.cpu().numpy()], norm_adv_by_std_in_grpo=by_std
        )
    return advantages, advantages


try:
    from verl.experimental.reward_loop.reward_manager.naive import NaiveRewardManager
    from verl.trainer.ppo.core_algos import ADV_ESTIMATOR_REGISTRY
except ImportError:  # used without verl, by its evaluation of saved answers for one
    pass
else:
    ADV_ESTIMATOR_REGISTRY["cipo_grpo"] = masked_grpo

    class CipoRewardManager(NaiveRewardManager):
        """Named in the config so that the trainer's process loads this file, too, and knows the estimator."""
