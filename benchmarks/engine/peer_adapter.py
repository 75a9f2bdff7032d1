"""The peer of adapter.ts: transformers and PEFT with an adapter folder.

Reads JSON lines from stdin. The first is {"base", "adapter", "threads"}. Every further one is {"prompt", "answer",
"maxTokens", "ends"}, token ids; the reply is {"tokens", "logprobs"}: the greedy completion of the prompt, and the
logprobs of `answer` after it.
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM


def main():
    request = json.loads(sys.stdin.readline())
    torch.set_num_threads(request["threads"])
    base = AutoModelForCausalLM.from_pretrained(request["base"], dtype=torch.float32)
    model = PeftModel.from_pretrained(base, request["adapter"]).eval()
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        prompt = torch.tensor([request["prompt"]])
        with torch.no_grad():
            written = model.generate(
                input_ids=prompt,
                attention_mask=torch.ones_like(prompt),
                do_sample=False,
                max_new_tokens=request["maxTokens"],
                eos_token_id=request["ends"],
                pad_token_id=request["ends"][0],
            )[0, prompt.shape[1] :]
            whole = torch.tensor([request["prompt"] + request["answer"]])
            rows = torch.log_softmax(model(whole).logits[0, prompt.shape[1] - 1 : -1], -1)
        logprobs = rows.gather(1, torch.tensor(request["answer"])[:, None])[:, 0]
        print(json.dumps({"tokens": written.tolist(), "logprobs": logprobs.tolist()}), flush=True)


main()
