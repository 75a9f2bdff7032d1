"""The upper bound of generate.ts: llama.cpp's batched greedy decode on the CPU in float32, one batch per line.

Reads JSON lines from stdin. The first is {"config", "weights", "threads"}: weights names a safetensors file; a
GGUF file is made of it. Every further one is {"prompts": [[...]], "maxTokens"}. The answer is {"tokens": [[...]],
"seconds", "cpuSeconds"}.
"""

import ctypes
import json
import sys
import time

import gguf
import llama_cpp as llama
import numpy as np
from safetensors.numpy import load_file

answers = sys.stdout
sys.stdout = sys.stderr
NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def permuted(weight, heads):
    """llama.cpp rotates neighbouring pairs, Hugging Face the two halves of a head."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows, columns))


def write_gguf(config, weights, path):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("no_vocab")
    writer.add_tensor("token_embd.weight", weights["model.embed_tokens.weight"])
    writer.add_tensor("output_norm.weight", weights["model.norm.weight"])
    if "lm_head.weight" in weights:
        writer.add_tensor("output.weight", weights["lm_head.weight"])
    for layer in range(config["num_hidden_layers"]):
        for theirs, ours in NAMES.items():
            weight = weights[f"model.layers.{layer}.{theirs}.weight"]
            if ours in ("attn_q", "attn_k"):
                heads = config["num_attention_heads" if ours == "attn_q" else "num_key_value_heads"]
                weight = permuted(weight, heads)
            writer.add_tensor(f"blk.{layer}.{ours}.weight", weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def open_model(request):
    path = request["weights"] + ".gguf"
    write_gguf(request["config"], load_file(request["weights"]), path)
    quiet = llama.llama_log_callback(lambda level, text, data: None)
    llama.llama_log_set(quiet, ctypes.c_void_p(0))
    params = llama.llama_model_default_params()
    params.use_mmap = False
    return llama.llama_model_load_from_file(path.encode(), params), quiet


def open_context(model, request, threads):
    prompts, more = request["prompts"], request["maxTokens"]
    params = llama.llama_context_default_params()
    params.n_ctx = sum(len(prompt) + more for prompt in prompts)
    params.n_seq_max = len(prompts)
    params.kv_unified = True
    params.n_batch = params.n_ubatch = max(512, sum(len(prompt) for prompt in prompts))
    params.n_threads = params.n_threads_batch = threads
    params.type_k = params.type_v = llama.GGML_TYPE_F32
    return llama.llama_init_from_model(model, params)


def fill(batch, rows):
    """rows: token, position, sequence, whether logits are needed."""
    batch.n_tokens = len(rows)
    for i, (token, position, sequence, wanted) in enumerate(rows):
        batch.token[i] = token
        batch.pos[i] = position
        batch.n_seq_id[i] = 1
        batch.seq_id[i][0] = sequence
        batch.logits[i] = wanted


def likeliest(context, places, vocabulary):
    rows = [np.ctypeslib.as_array(llama.llama_get_logits_ith(context, i), (vocabulary,)) for i in places]
    return [int(row.argmax()) for row in rows]


def generate(context, request, vocabulary):
    prompts = request["prompts"]
    rows = [(t, p, s, p == len(prompt) - 1) for s, prompt in enumerate(prompts) for p, t in enumerate(prompt)]
    batch = llama.llama_batch_init(len(rows), 0, 1)
    places = [i for i, row in enumerate(rows) if row[3]]
    made = []
    for step in range(request["maxTokens"]):
        fill(batch, rows)
        assert llama.llama_decode(context, batch) == 0, "llama_decode failed"
        made.append(likeliest(context, places, vocabulary))
        rows = [(token, len(prompts[s]) + step, s, True) for s, token in enumerate(made[-1])]
        places = range(len(rows))
    llama.llama_batch_free(batch)
    return [list(tokens) for tokens in zip(*made)]


def main():
    request = json.loads(sys.stdin.readline())
    vocabulary, threads = request["config"]["vocab_size"], request["threads"]
    model, _quiet = open_model(request)
    assert model, "llama.cpp does not load the file"
    print(json.dumps({"llama.cpp": llama.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        context = open_context(model, request, threads)
        began, cpu = time.perf_counter(), time.process_time()
        tokens = generate(context, request, vocabulary)
        spent = {"seconds": time.perf_counter() - began, "cpuSeconds": time.process_time() - cpu}
        llama.llama_free(context)
        print(json.dumps({**spent, "tokens": tokens}), file=answers, flush=True)


main()
