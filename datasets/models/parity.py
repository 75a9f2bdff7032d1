"""Generates tiny random models with the results of PyTorch: for each case a Hugging Face folder as transformers writes
it, and `expected.safetensors` with token ids, logits, the loss and every gradient, in float32.

    $CIPO_PEER_PYTHON datasets/models/parity.py      writes datasets/models/fixtures/parity
"""

import pathlib
import shutil

import torch
from safetensors.torch import save_file
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

OUT = pathlib.Path(__file__).parent / "fixtures" / "parity"
BATCH, LENGTH = 2, 40
SIZE = dict(
    vocab_size=32,
    hidden_size=24,
    intermediate_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    eos_token_id=1,
    bos_token_id=None,
)
THETA = {"rope_theta": 10000.0}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}

# name: (model, config, extra keys, how it is saved)
CASES = {
    "llama": (LlamaForCausalLM, LlamaConfig, {}, {}),
    "llama-one-head-each": (LlamaForCausalLM, LlamaConfig, dict(num_key_value_heads=4), {}),
    "llama-tied": (LlamaForCausalLM, LlamaConfig, dict(tie_word_embeddings=True), {}),
    "llama-biases": (LlamaForCausalLM, LlamaConfig, dict(attention_bias=True, mlp_bias=True), {}),
    "llama-3": (LlamaForCausalLM, LlamaConfig, dict(rope_parameters={**LLAMA3, "rope_theta": 500000.0}, head_dim=16), {}),
    "llama-linear": (
        LlamaForCausalLM,
        LlamaConfig,
        dict(rope_parameters={"rope_type": "linear", "factor": 2.5, **THETA}),
        dict(dtype=torch.float16),
    ),
    "llama-yarn": (LlamaForCausalLM, LlamaConfig, dict(rope_parameters={**YARN, **THETA}, head_dim=16), {}),
    "llama-yarn-set": (
        LlamaForCausalLM,
        LlamaConfig,
        dict(rope_parameters={**YARN, **THETA, "beta_fast": 3.0, "beta_slow": 0.5, "mscale": 0.7, "mscale_all_dim": 1.3, "truncate": False}, head_dim=16),
        {},
    ),
    "mistral": (MistralForCausalLM, MistralConfig, dict(head_dim=8, sliding_window=None), {}),
    "qwen2": (Qwen2ForCausalLM, Qwen2Config, dict(rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}), dict(dtype=torch.bfloat16, max_shard_size="10KB")),
    "qwen2-yarn-tied": (
        Qwen2ForCausalLM,
        Qwen2Config,
        dict(rope_parameters={**YARN, **THETA, "attention_factor": 1.2}, tie_word_embeddings=True),
        {},
    ),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config, dict(head_dim=8), {}),
    "qwen3-biases-tied": (
        Qwen3ForCausalLM,
        Qwen3Config,
        dict(head_dim=16, attention_bias=True, tie_word_embeddings=True, num_key_value_heads=1),
        {},
    ),
}


def randomise(model, dtype):
    """Weights far from the initial ones, so that every norm and bias matters; exact in the type they are saved in."""
    for name, p in model.named_parameters():
        noise = torch.randn_like(p)
        p.data = (1 + 0.3 * noise if "norm" in name else 0.25 * noise).to(dtype).float()


def make(name, model_class, config_class, extra, saving):
    torch.manual_seed(sum(map(ord, name)))
    dtype = saving.get("dtype", torch.float32)
    model = model_class(config_class(**{**SIZE, **extra}, attn_implementation="eager")).float()
    randomise(model, dtype)
    tokens = torch.randint(0, SIZE["vocab_size"], (BATCH, LENGTH))
    logits = model(tokens).logits
    logp = torch.log_softmax(logits[:, :-1], -1)
    picked = logp.gather(2, tokens[:, 1:, None])[..., 0]
    # Weights that differ from token to token, as those of reinforcement learning do.
    weights = torch.linspace(0.5, 1.5, LENGTH - 1)
    loss = -(picked * weights).sum() / BATCH
    loss.backward()
    gradients = {f"grad.{n}": p.grad.clone() for n, p in model.named_parameters()}
    folder = OUT / name
    model.to(dtype).save_pretrained(folder, max_shard_size=saving.get("max_shard_size", "1GB"))
    save_file(
        {"tokens": tokens.float(), "logits": logits.detach(), "loss": loss.detach().reshape(1), "weights": weights, **gradients},
        folder / "expected.safetensors",
    )
    print(f"{name}: loss {loss.item():.4f}, {sum(f.stat().st_size for f in folder.iterdir())} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    shutil.rmtree(OUT, ignore_errors=True)
    for name, case in CASES.items():
        make(name, *case)
