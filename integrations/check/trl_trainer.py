"""A real GRPOTrainer with a tiny random model for a few steps, with rewards from `cipo serve`. Usage: trl_trainer.py URL"""
import logging
import os
import sys
import tempfile
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", HF_DATASETS_DISABLE_PROGRESS_BARS="1", OMP_NUM_THREADS="1")
logging.getLogger("trl").setLevel(logging.ERROR)  # it warns about every row without a reward
sys.path.insert(0, str(Path(__file__).parents[1] / "trl"))

import torch
import transformers
import trl
from cipo_trl import CipoReward
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

STEPS = 12
ANSWER = "7"


def tiny_policy():
    """A random model whose tokens are boxed digits, so that one response in ten is correct before training."""
    words = ["<pad>", "<eos>", "digit", *[f"\\boxed{{{d}}}" for d in range(10)]]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", padding_side="left")
    config = GPT2Config(
        vocab_size=len(words), n_positions=32, n_embd=32, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=1, pad_token_id=0
    )
    return GPT2LMHeadModel(config), fast


class RecordingReward(CipoReward):
    """Records the calls of the trainer and their rewards."""

    def __call__(self, prompts, completions, **columns):
        rewards = super().__call__(prompts, completions, **columns)
        self.seen += zip(columns["answer"], completions, rewards)
        return rewards

    seen = []


def main(url):
    torch.manual_seed(0)
    transformers.set_seed(0)
    model, tokenizer = tiny_policy()
    before = [p.detach().clone() for p in model.parameters()]
    unreadable = "\\frac{"  # a reference that cannot be parsed: its rows are not judged
    rows = [{"prompt": "digit", "answer": ANSWER}] * 7 + [{"prompt": "digit", "answer": unreadable}]
    reward = RecordingReward(url, row={"domain": "math"})
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            output_dir=folder, max_steps=STEPS, per_device_train_batch_size=64, num_generations=8, learning_rate=0.02,
            max_completion_length=1, beta=0.0, logging_steps=1, save_strategy="no", report_to="none", use_cpu=True,
            bf16=False, seed=0, disable_tqdm=True, log_completions=False, lr_scheduler_type="constant",
        )
        trainer = GRPOTrainer(
            model=model, reward_funcs=reward, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer
        )
        trainer.remove_callback(transformers.PrinterCallback)
        trainer.train()
    report(trainer, reward.seen, before, unreadable)


def report(trainer, seen, before, unreadable):
    history = [entry for entry in trainer.state.log_history if "rewards/cipo/mean" in entry]
    judged = [(completion, reward) for answer, completion, reward in seen if answer != unreadable]
    void = [reward for answer, _, reward in seen if answer == unreadable]
    check("every step got rewards from the server", len(history) == STEPS)
    check("each completion gets its reward", all(r == float(f"\\boxed{{{ANSWER}}}" in c) for c, r in judged))
    check("rows that were not judged exist and have the reward None", void and all(r is None for r in void))
    check("TRL's mean is over the judged rows", all(0 <= entry["rewards/cipo/mean"] <= 1 for entry in history))
    check("the trainer gets the share of void rows", history[0]["cipo/void"] == 1 / 8)
    check("the policy changed", any(not torch.equal(a, b) for a, b in zip(before, trainer.model.parameters())))
    check("no weight is NaN", all(p.isfinite().all() for p in trainer.model.parameters()))
    means = [entry["rewards/cipo/mean"] for entry in history]
    check("the reward increased", sum(means[-3:]) > sum(means[:3]))
    print(f"trl {trl.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")
    print(f"  GRPOTrainer: {STEPS} steps, {len(seen)} completions judged over HTTP; {len(void)} not judged and masked")
    print(f"  mean reward: {' '.join(f'{mean:.2f}' for mean in means)}")


def check(fact, holds):
    if not holds:
        raise SystemExit(f"check failed: {fact}")


main(sys.argv[1])
