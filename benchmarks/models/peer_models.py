"""Results of transformers, tokenizers and llama.cpp for a model: one JSON request per line, one JSON reply per line."""

import json
import sys

answers = sys.stdout
sys.stdout = sys.stderr


def score(request):
    """Logits, loss and all gradients of one sequence, to a safetensors file."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(request["threads"])
    model = AutoModelForCausalLM.from_pretrained(request["model"], dtype=torch.float32)
    tokens = torch.tensor([request["tokens"]])
    logits = model(tokens).logits[0]
    logp = torch.log_softmax(logits[:-1], -1).gather(1, tokens[0, 1:, None])[:, 0]
    loss = -logp.mean()
    loss.backward()
    found = {f"grad.{name}": p.grad for name, p in model.named_parameters()}
    save_file({"logits": logits.detach().contiguous(), **found}, request["out"])
    return {"loss": loss.item()}


def generate(request):
    """Greedy tokens by transformers."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(request["threads"])
    model = AutoModelForCausalLM.from_pretrained(request["model"], dtype=torch.float32)
    made = []
    for tokens in request["prompts"]:
        out = model.generate(torch.tensor([tokens]), max_new_tokens=request["max"], do_sample=False)
        made.append(out[0, len(tokens) :].tolist())
    return {"tokens": made}


def llama(request):
    """Greedy tokens by llama.cpp."""
    from llama_cpp import Llama

    model = Llama(request["gguf"], n_ctx=1024, n_threads=request["threads"], n_threads_batch=request["threads"], verbose=False)
    made = []
    for tokens in request["prompts"]:
        found = []
        for token in model.generate(tokens, top_k=1, temp=0.0, repeat_penalty=1.0, reset=True):
            found.append(int(token))
            if token == model.token_eos() or len(found) == request["max"]:
                break
        made.append(found)
    return {"tokens": made}


def dequantise(request):
    """The same GGUF file with every tensor in float32."""
    import gguf

    reader = gguf.GGUFReader(request["gguf"])
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(request["out"], architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        inner = field.types[1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, inner)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, gguf.dequantize(tensor.data, tensor.tensor_type))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return {}


def encode(request):
    """Tokens of texts, and the texts that they decode to."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(request["tokenizer"])
    ids = [tokenizer.encode(text, add_special_tokens=False) for text in request["texts"]]
    texts = [tokenizer.decode(x, skip_special_tokens=True, clean_up_tokenization_spaces=False) for x in ids]
    return {"ids": ids, "texts": texts}


for line in sys.stdin:
    request = json.loads(line)
    work = {"score": score, "generate": generate, "llama": llama, "dequantise": dequantise, "encode": encode}
    print(json.dumps(work[request["do"]](request)), file=answers, flush=True)
