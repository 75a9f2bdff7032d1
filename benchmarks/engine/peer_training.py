"""The peer of training.ts: transformers' LlamaForCausalLM with PyTorch's AdamW, one training step per line.

Reads JSON lines from stdin. The first is {"config", "weights", "threads", "adapter"}: weights names a safetensors file;
adapter is null or a folder that PEFT loads and trains. Every further one is {"tokens": [[...]]}; the reply is {"loss",
"seconds", "cpuSeconds", "peakMb"}. Peak memory is that of the process so far.
"""

import json
import resource
import sys
import time

import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM


def open_model(request):
    torch.set_num_threads(request["threads"])
    config = LlamaConfig(**request["config"], attn_implementation="sdpa", use_cache=False)
    model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict(load_file(request["weights"]), strict=False)
    assert not unexpected and all("lm_head" in name for name in missing), (missing, unexpected)
    model.tie_weights()
    if request["adapter"]:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, request["adapter"], is_trainable=True)
    return model.train()


def step(model, optimizer, tokens):
    logits = model(input_ids=tokens[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def main():
    model = open_model(json.loads(sys.stdin.readline()))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3, weight_decay=0.0, fused=True)
    print(json.dumps({"torch": torch.__version__, "trained": sum(p.numel() for p in trained)}), flush=True)
    for line in sys.stdin:
        tokens = torch.tensor(json.loads(line)["tokens"])
        began, cpu = time.perf_counter(), time.process_time()
        loss = step(model, optimizer, tokens)
        answer = {
            "loss": loss,
            "seconds": time.perf_counter() - began,
            "cpuSeconds": time.process_time() - cpu,
            "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(answer), flush=True)


main()
