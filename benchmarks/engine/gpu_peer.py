"""The peer of gpu.ts: PyTorch on the same GPU, or on the CPU if there is none.

Reads JSON lines from stdin and answers each with one: {"ask": "machine" | "product" | "dispatch" | "training" | "rollouts", ...}.
Types are "f32", "bf16" and "f16". float32 products are true float32; TensorFloat-32 is off unless "tf32" is requested.
"""

import json
import sys
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
types = {"f32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}


def wait():
    if device.type == "cuda":
        torch.cuda.synchronize()


def median_seconds(work, times):
    found = []
    for _ in range(times):
        wait()
        began = time.perf_counter()
        work()
        wait()
        found.append(time.perf_counter() - began)
    return sorted(found)[len(found) // 2]


def machine(_):
    name = torch.cuda.get_device_name() if device.type == "cuda" else "no card: the CPU"
    return {"name": name, "torch": torch.__version__}


def product(request):
    torch.backends.cuda.matmul.allow_tf32 = request["type"] == "tf32"
    n, dtype = request["n"], types[request["type"]]
    a, b = (torch.randn(n, n, device=device).to(dtype) for _ in range(2))
    torch.matmul(a, b)
    return {"tflops": 2 * n**3 / median_seconds(lambda: torch.matmul(a, b), 5) / 1e12}


def dispatch(request):
    x = torch.randn(64, device=device)

    def chain(operations):
        def work():
            z = x
            for i in range(operations):
                z = z + x if i % 2 else z * x
            return z

        work()
        return median_seconds(work, 5)

    short, long = request["chain"]
    return {"microseconds": (chain(long) - chain(short)) / (long - short) * 1e6}


def open_model(request):
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(1)
    config = AutoConfig.for_model(**request["config"])
    return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").to(device, types[request["type"]])


def training(request):
    model = open_model(request).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0, fused=True)
    tokens = torch.tensor(request["tokens"], device=device)

    def step():
        logits = model(input_ids=tokens[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    step()
    seconds = median_seconds(step, request["rounds"])
    return {"tokensPerSecond": tokens[:, 1:].numel() / seconds, "megabytes": megabytes()}


def rollouts(request):
    model = open_model(request).eval()
    sequences, prompt, write = request["sequences"], request["prompt"], request["write"]
    tokens = torch.randint(3, model.config.vocab_size, (sequences, prompt), device=device)

    def write_all():
        with torch.inference_mode():
            model.generate(
                tokens, attention_mask=torch.ones_like(tokens), do_sample=True, max_new_tokens=write, min_new_tokens=write
            )

    write_all()
    return {"tokensPerSecond": sequences * write / median_seconds(write_all, request["rounds"]), "megabytes": megabytes()}


def megabytes():
    return torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else None


def main():
    answers = {"machine": machine, "product": product, "dispatch": dispatch, "training": training, "rollouts": rollouts}
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(answers[request["ask"]](request)), flush=True)
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


main()
