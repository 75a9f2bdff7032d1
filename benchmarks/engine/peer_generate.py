"""The peer of generate.ts: transformers' generate on the CPU in float32, one batch per line.

Reads JSON lines from stdin. The first is {"config", "weights", "threads"}: weights names a safetensors file. Every further
one is {"prompts": [[...]], "maxTokens", "sample"}; prompts are padded on the left, no token ends a sequence. The answer is
{"tokens": [[...]], "seconds", "cpuSeconds"}.
"""

import json
import sys
import time

import torch
from safetensors.torch import load_file
from transformers import LlamaConfig, LlamaForCausalLM


def open_model(request):
    torch.set_num_threads(request["threads"])
    config = LlamaConfig(**request["config"], attn_implementation="sdpa")
    model = LlamaForCausalLM(config)
    missing, unexpected = model.load_state_dict(load_file(request["weights"]), strict=False)
    assert not unexpected and all("lm_head" in name for name in missing), (missing, unexpected)
    model.tie_weights()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 0
    return model.eval()


def padded(prompts):
    longest = max(len(prompt) for prompt in prompts)
    rows = [[0] * (longest - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(rows), torch.tensor(mask)


@torch.inference_mode()
def generate(model, request):
    ids, mask = padded(request["prompts"])
    choice = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0} if request["sample"] else {"do_sample": False}
    made = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=request["maxTokens"], **choice)
    return made[:, ids.shape[1] :].tolist()


def main():
    model = open_model(json.loads(sys.stdin.readline()))
    torch.manual_seed(1)
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        began, cpu = time.perf_counter(), time.process_time()
        tokens = generate(model, request)
        answer = {"seconds": time.perf_counter() - began, "cpuSeconds": time.process_time() - cpu, "tokens": tokens}
        print(json.dumps(answer), flush=True)


main()
