"""OpenRLHF's executor with rewards from `cipo serve`. Usage: openrlhf_client.py URL

Real: the executor's decoding, request, retries and parsing of the reply. Not real: the model, whose responses are fixed, and
the training, which needs GPUs.
"""
import asyncio
import logging
import os
import sys
from importlib.metadata import version
from types import SimpleNamespace

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error", OMP_NUM_THREADS="1")

logging.disable(logging.INFO)  # it logs every request

from openrlhf.utils.agent import SingleTurnAgentExecutor
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast


def check(fact, holds):
    if not holds:
        raise SystemExit(f"check failed: {fact}")


def byte_tokenizer():
    words = {"<pad>": 0, "<|im_end|>": 1}
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        words[character] = len(words)
    tokenizer = Tokenizer(models.BPE(words, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<|im_end|>")


class Engine:
    """Responds to every prompt with the same tokens."""

    def __init__(self, tokens):
        self.tokens = tokens

    async def generate(self, *_, **__):
        return SimpleNamespace(outputs=[SimpleNamespace(token_ids=self.tokens, finish_reason="stop", logprobs=None)])


async def main(url):
    print(f"openrlhf {version('openrlhf')}")
    tokenizer, executor = byte_tokenizer(), SingleTurnAgentExecutor(f"{url}/get_reward")
    params = SimpleNamespace(max_tokens=64, logprobs=None)

    async def reward(prompt, label, response):
        tokens = tokenizer.encode(response, add_special_tokens=False) + [tokenizer.eos_token_id]
        return await executor.execute(prompt, label, params, 4096, tokenizer, Engine(tokens))

    tests = '{"domain": "code", "language": "python", "tests": {"type": "assert", "code": "assert add(1, 2) == 3"}}'
    cases = [("1/4 + 1/4?\n", "1/2", "so \\boxed{0.5}"), ("1/4 + 1/4?\n", "1/2", "so \\boxed{2}")]
    cases += [("Write add.\n", tests, "def add(a, b): return a + b"), ("Write add.\n", tests, "def add(a, b): return a")]
    outputs = await asyncio.gather(*(reward(*one) for one in cases))
    check("each response gets its reward", [output["reward"] for output in outputs] == [[1], [0], [1], [0]])
    check("scores equal the rewards", all(output["scores"] == output["reward"] for output in outputs))
    print("  SingleTurnAgentExecutor: 4 responses, rewards 1 0 1 0")

    output = await reward("?\n", "\\frac{", "so \\boxed{2}")
    check("a response that was not judged has no reward", output["reward"] is None)
    print("  a response that was not judged: retried, then no reward (None), not 0")


asyncio.run(main(sys.argv[1].rstrip("/")))
