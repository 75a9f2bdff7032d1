"""verl's reward code with `cipo_verl.py`, and its SandboxFusion client. Usage: verl_reward.py URL

Real: verl's loading of a custom reward function and of a reward manager from a configuration, its RewardLoopWorker (decoding,
scoring a batch, its result for the trainer), its assembly of rewards, its compute_advantage. Not real: rollouts, Ray's
processes and the optimizer, which need GPUs.
"""
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", OMP_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
logging.disable(logging.ERROR)  # verl logs responses that it counts as failed
warnings.simplefilter("ignore")  # and warns about missing GPU engines

import numpy as np
import torch
import verl
from hydra import compose, initialize_config_dir
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
from verl import DataProto
from verl.experimental.reward_loop.reward_loop import RewardLoopWorker
from verl.trainer.ppo.core_algos import get_adv_estimator_fn
from verl.trainer.ppo.ray_trainer import compute_advantage
from verl.trainer.ppo.reward import resolve_reward_manager_cls
from verl.utils.reward_score import sandbox_fusion

CIPO_FILE = str(Path(__file__).parents[1] / "verl" / "cipo_verl.py")
PROMPT = 2


def check(fact, holds):
    if not holds:
        raise SystemExit(f"check failed: {fact}")


def save_tokenizer(folder):
    """One token per byte: it can encode every text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({"<pad>": 0, **{c: i + 1 for i, c in enumerate(alphabet)}}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<pad>").save_pretrained(folder)


def config_of(folder, *overrides):
    """verl's trainer configuration with the command line overrides of docs/guide/integrations.md."""
    with initialize_config_dir(os.path.join(os.path.dirname(verl.__file__), "trainer", "config"), version_base=None):
        settings = ("custom_reward_function.path=" + CIPO_FILE, "custom_reward_function.name=compute_score")
        overrides_of_cipo = [f"reward.{one}" for one in settings] + [f"actor_rollout_ref.model.path={folder}"]
        return compose("ppo_trainer", overrides=[*overrides_of_cipo, *overrides])


def reward_kwargs(**kwargs):
    return [f"+reward.custom_reward_function.reward_kwargs.{name}={value}" for name, value in kwargs.items()]


def batch_of(tokenizer, rows):
    """A batch as verl's rollout creates it: padded tokens, and the columns of the data set."""
    response_ids = [tokenizer.encode(response, add_special_tokens=False) for _, response, _ in rows]
    width = max(map(len, response_ids))
    responses = torch.tensor([ids + [0] * (width - len(ids)) for ids in response_ids])
    mask = torch.tensor([[1] * (PROMPT + len(ids)) + [0] * (width - len(ids)) for ids in response_ids])
    return DataProto.from_dict(
        tensors={"prompts": torch.zeros(len(rows), PROMPT, dtype=torch.long), "responses": responses, "attention_mask": mask},
        non_tensors={
            "data_source": np.array([source for source, _, _ in rows], dtype=object),
            "reward_model": np.array([{"style": "rule", "ground_truth": reference} for _, _, reference in rows], dtype=object),
            "extra_info": np.array([{"index": i} for i in range(len(rows))], dtype=object),
            "uid": np.array(["a"] * len(rows), dtype=object),
        },
    )


ADD = "```python\ndef add(a, b):\n    return a + b\n```"
CALLS = '{"inputs": ["1\\n2", "2\\n2"], "outputs": ["3", "4"], "fn_name": "add"}'
ROWS = [
    ("lighteval/MATH", "so \\boxed{0.5}", "\\frac{1}{2}"),
    ("lighteval/MATH", "so \\boxed{3}", "\\frac{1}{2}"),
    ("codecontests", ADD, CALLS),
    ("codecontests", ADD.replace("+", "-"), CALLS),
]
UNREADABLE = ("lighteval/MATH", "so \\boxed{3}", "\\frac{")


def scores_of(config, rows):
    worker = RewardLoopWorker(config)
    data = batch_of(worker.input_tokenizer, rows)
    outputs = worker.loop.run_until_complete(worker.compute_score_batch(data))
    return data, outputs


def main(url):
    print(f"verl {verl.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        save_tokenizer(folder)
        plain = config_of(folder, *reward_kwargs(url=url))
        _, outputs = scores_of(plain, ROWS)
        check("math and code rows get their rewards", [o["reward_score"] for o in outputs] == [1.0, 0.0, 1.0, 0.0])
        check("verl gets the status", outputs[1]["reward_extra_info"]["status"] == "wrong_answer")
        print("  RewardLoopWorker, reward manager naive, custom_reward_function: 4 responses, rewards 1 0 1 0")

        try:
            scores_of(plain, [UNREADABLE])
            raise SystemExit("check failed: a response that was not judged raises")
        except RuntimeError as error:
            check("the error has the reason", "bad_task" in str(error))
        print("  a response that was not judged raises with the reason and is never a number")

        prose = config_of(folder, *reward_kwargs(url=url, **{"options.extraction": "any"}))
        _, outputs = scores_of(prose, [("openai/gsm8k", "so there are 72 of them.\n#### 72", "72")])
        check("a field of the row can be set on the command line", outputs[0]["reward_score"] == 1.0)
        print("  reward_kwargs.options.extraction=any: an answer in prose is extracted")

        manager = ("source=importlib", "name=CipoRewardManager", f"module.path={CIPO_FILE}")
        overrides = [f"reward.reward_manager.{one}" for one in manager] + ["algorithm.adv_estimator=cipo_grpo"]
        config = config_of(folder, *reward_kwargs(url=url, void="nan"), *overrides)
        data, outputs = scores_of(config, [ROWS[0], ROWS[1], UNREADABLE, ROWS[1]])
        advantages = advantages_of(config, data, [o["reward_score"] for o in outputs])
        alone = advantages_of(config, data.select_idxs([0, 1, 3]), [1.0, 0.0, 0.0], "grpo")
        check("masked responses have advantage 0", advantages[2].abs().sum() == 0)
        check("the other advantages are those of a group without it", torch.allclose(advantages[[0, 1, 3]], alone))
        print("  void=nan with algorithm.adv_estimator=cipo_grpo: advantage 0, and not in the baseline of its group")

    run_sandbox_fusion(f"{url}/run_code")


def advantages_of(config, data, scores, estimator="cipo_grpo"):
    """Advantages as the trainer computes them from the scores."""
    data.batch["token_level_rewards"] = resolve_reward_manager_cls(config).assemble_rm_scores(data, scores)
    data.batch["response_mask"] = data.batch["attention_mask"][:, PROMPT:].float()
    check("verl knows the estimator", estimator == "grpo" or get_adv_estimator_fn(estimator))
    return compute_advantage(data, estimator, config=config.algorithm).batch["advantages"]


def run_sandbox_fusion(url):
    """`reward.sandbox_fusion.url`: verl's client, unchanged."""
    def score(response, tests):
        return sandbox_fusion.compute_score(url, None, 1024, response, tests)[0]

    double = "```python\nprint(int(input()) * 2)\n```"
    check("stdio tests", score(double, {"inputs": ["2\n", "3\n"], "outputs": ["4\n", "7\n"]}) == 0.5)
    check("function tests", score(ADD, CALLS) == 1.0)
    check("assertions", score(ADD, {"assert_case": ["assert add(1, 1) == 2", "assert add(1, 1) == 3"]}) == 0.5)
    check("a syntax error", score("```python\nprint(\n```", {"inputs": [""], "outputs": [""]}) == 0.0)
    print("  verl's sandbox_fusion client: stdio 1 of 2, function 2 of 2, assertions 1 of 2, a syntax error 0")


main(sys.argv[1].rstrip("/"))
