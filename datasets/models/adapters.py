"""Generates adapters as PEFT saves them, over models of fixtures/parity, with the results of PyTorch: for each case the
folder that `save_pretrained` writes, and `expected.safetensors` with token ids, logits, the loss and every gradient.

    $CIPO_PEER_PYTHON datasets/models/adapters.py      writes datasets/models/fixtures/adapters; run parity.py first
"""

import json
import pathlib
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
OUT = FIXTURES / "adapters"

# name: (base in fixtures/parity, LoraConfig)
CASES = {
    "two-targets": ("llama-tied", dict(r=4, lora_alpha=6, target_modules=["q_proj", "v_proj"])),
    "all-linear-rslora": ("llama-biases", dict(r=3, lora_alpha=5, target_modules="all-linear", use_rslora=True)),
    "patterns": (
        "qwen3",
        dict(
            r=4,
            lora_alpha=8,
            target_modules=r".*\.(k_proj|o_proj|down_proj)",
            layers_to_transform=None,
            rank_pattern={"down_proj": 2},
            alpha_pattern={r"layers\.1\.self_attn\.o_proj": 3},
        ),
    ),
    "one-layer": ("mistral", dict(r=2, lora_alpha=2, target_modules=["gate_proj", "up_proj"], layers_to_transform=[1])),
}


def make(name, base, settings):
    torch.manual_seed(sum(map(ord, name)))
    folder = OUT / name
    model = AutoModelForCausalLM.from_pretrained(FIXTURES / "parity" / base, dtype=torch.float32)
    peft = get_peft_model(model, LoraConfig(**settings, lora_dropout=0.0, task_type="CAUSAL_LM"))
    trained = {n: p for n, p in peft.named_parameters() if p.requires_grad}
    for p in trained.values():
        p.data = 0.2 * torch.randn_like(p)
    given = load_file(FIXTURES / "parity" / base / "expected.safetensors")
    tokens, weights = given["tokens"].long(), given["weights"]
    logits = peft(tokens).logits
    picked = torch.log_softmax(logits[:, :-1], -1).gather(2, tokens[:, 1:, None])[..., 0]
    loss = -(picked * weights).sum() / tokens.shape[0]
    loss.backward()
    gradients = {f"grad.{n.replace('.default', '')}": p.grad.clone() for n, p in trained.items()}
    peft.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = f"../../parity/{base}"
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(
        {"tokens": tokens.float(), "logits": logits.detach(), "loss": loss.detach().reshape(1), "weights": weights, **gradients},
        folder / "expected.safetensors",
    )
    print(f"{name}: loss {loss.item():.4f}, {sum(f.stat().st_size for f in folder.iterdir())} bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    shutil.rmtree(OUT, ignore_errors=True)
    for name, (base, settings) in CASES.items():
        make(name, base, settings)
