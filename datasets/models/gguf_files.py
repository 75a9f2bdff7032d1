"""Generates GGUF files with llama.cpp's Python package, from the folders of parity.py and tokenizer_files.py, and the
results that reading them must give.

    $CIPO_PEER_PYTHON datasets/models/gguf_files.py      writes datasets/models/fixtures/gguf
"""

import io
import json
import pathlib
import shutil

import gguf
import numpy as np
import sentencepiece
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from corpus import CORPUS, TRAINING

HERE = pathlib.Path(__file__).parent / "fixtures"
OUT = HERE / "gguf"
TYPES = ["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def quantised():
    """Random blocks of every format, and their values according to the reference."""
    rng = np.random.default_rng(1)
    writer = gguf.GGUFWriter(OUT / "formats.gguf", "llama")
    expected = {}
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[kind]
        if values == 1:
            raw = gguf.quantize(rng.standard_normal((2, 256)).astype(np.float32), kind)
        else:
            blocks = rng.integers(0, 256, (2, 256 // values, size), dtype=np.uint8)
            # Where the halves lie that scale a block: they must be numbers of ordinary size.
            halves = {"Q6_K": [208], "Q4_1": [0, 2], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2]}.get(name, [0])
            for at in halves:
                scale = rng.uniform(-0.1, 0.1, blocks.shape[:2]).astype(np.float16)
                blocks[:, :, at : at + 2] = scale[..., None].view(np.uint8)
            raw = blocks.reshape(2, -1)
        writer.add_tensor(name.lower(), raw, raw_dtype=kind)
        expected[name.lower()] = torch.from_numpy(gguf.dequantize(raw, kind).astype(np.float32).reshape(2, 256).copy())
    finish(writer)
    save_file(expected, OUT / "formats.safetensors")


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def permuted(weights, heads):
    """llama.cpp's order of the rows of q and k."""
    shape = weights.shape
    return weights.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def model(name, config, state, kind, architecture):
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", architecture)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = config.rope_parameters
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_dim)
    writer.add_rope_freq_base(rope["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_eos_token_id(config.eos_token_id)
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if rope["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_divisors(head_dim, rope))
    for key, tensor in state.items():
        array = tensor.float().numpy()
        if architecture == "llama" and "q_proj" in key:
            array = permuted(array, config.num_attention_heads)
        if architecture == "llama" and "k_proj" in key:
            array = permuted(array, config.num_key_value_heads)
        add(writer, key, array, kind)
    finish(writer)


def add(writer, key, array, kind):
    stem, ending = key.rsplit(".", 1)
    if stem.startswith("model.layers."):
        _, _, layer, part = stem.split(".", 3)
        name = f"blk.{layer}.{NAMES[part]}.{ending}"
    else:
        name = f"{NAMES[stem]}.{ending}"
    used = kind if array.ndim > 1 else gguf.GGMLQuantizationType.F32
    writer.add_tensor(name, gguf.quantize(np.ascontiguousarray(array), used), raw_dtype=used)


def llama3_divisors(head_dim, rope):
    """Computed as in llama.cpp's converter."""
    frequencies = 1.0 / (rope["rope_theta"] ** (np.arange(0, head_dim, 2, dtype=np.float32) / head_dim))
    low, high, length = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
    out = []
    for f in frequencies:
        wave = 2 * np.pi / f
        if wave < length / high:
            out.append(1)
        elif wave > length / low:
            out.append(rope["factor"])
        else:
            smooth = (length / wave - low) / (high - low)
            out.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(out, dtype=np.float32)


def from_folder(name, kind, architecture):
    folder = HERE / "parity" / name
    loaded = AutoModelForCausalLM.from_pretrained(folder)
    state = {key: value for key, value in loaded.state_dict().items() if key != "lm_head.weight" or not loaded.config.tie_word_embeddings}
    model(name, AutoConfig.from_pretrained(folder), state, gguf.GGMLQuantizationType[kind], architecture)


def llama3():
    """The rope scaling of Llama 3.1 with Meta's numbers: a GGUF file can only express those."""
    torch.manual_seed(3)
    scaling = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)
    config = LlamaConfig(
        vocab_size=32, hidden_size=32, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1, num_key_value_heads=1,
        max_position_embeddings=131072, eos_token_id=1, bos_token_id=None, rope_parameters=scaling, tie_word_embeddings=True,
    )
    made = LlamaForCausalLM(config).to(torch.bfloat16)
    made.save_pretrained(OUT / "llama-3.1")
    state = {key: value for key, value in made.state_dict().items() if key != "lm_head.weight"}
    model("llama-3.1", config, state, gguf.GGMLQuantizationType.BF16, "llama")


def byte_level_tokenizer(name, pre):
    """The tokenizer of fixtures/tokenizers, as GGUF."""
    source = json.loads((HERE / "tokenizers" / name / "tokenizer.json").read_text())
    config = json.loads((HERE / "tokenizers" / name / "tokenizer_config.json").read_text())
    words = dict(source["model"]["vocab"])
    kinds = {word: gguf.TokenType.NORMAL for word in words}
    for token in source["added_tokens"]:
        words[token["content"]] = token["id"]
        kinds[token["content"]] = gguf.TokenType.CONTROL if token["special"] else gguf.TokenType.USER_DEFINED
    tokens = sorted(words, key=words.get)
    writer = gguf.GGUFWriter(OUT / f"tokenizer-{name}.gguf", "llama")
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([kinds[token] for token in tokens])
    writer.add_token_merges([" ".join(merge) for merge in source["model"]["merges"]])
    ids = {key: words[config[f"{key}_token"]] for key in ("bos", "eos", "unk", "pad")}
    writer.add_bos_token_id(ids["bos"])
    writer.add_eos_token_id(ids["eos"])
    writer.add_unk_token_id(ids["unk"])
    writer.add_pad_token_id(ids["pad"])
    if "chat_template" in config:
        writer.add_chat_template(config["chat_template"])
    finish(writer)


def sentencepiece_tokenizer():
    """Trained by SentencePiece, whose results are the expected ones."""
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINING), model_writer=trained, vocab_size=500, model_type="bpe", byte_fallback=True,
        character_coverage=0.98, normalization_rule_name="identity", remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True, split_digits=True, minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    writer = gguf.GGUFWriter(OUT / "tokenizer-llama.gguf", "llama")
    writer.add_tokenizer_model("llama")
    size = processor.get_piece_size()
    writer.add_token_list([processor.id_to_piece(i) for i in range(size)])
    writer.add_token_scores([processor.get_score(i) for i in range(size)])
    kind = lambda i: (
        gguf.TokenType.UNKNOWN if processor.is_unknown(i)
        else gguf.TokenType.CONTROL if processor.is_control(i)
        else gguf.TokenType.BYTE if processor.is_byte(i)
        else gguf.TokenType.NORMAL
    )
    writer.add_token_types([kind(i) for i in range(size)])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    finish(writer)
    # Control tokens in text are text to SentencePiece, and tokens to everybody else.
    texts = [text for text in CORPUS if "<" not in text and "\0" not in text]
    (OUT / "tokenizer-llama.json").write_text(
        json.dumps([{"text": text, "ids": processor.encode(text)} for text in texts], separators=(",", ":"))
    )


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    quantised()
    from_folder("llama-linear", "F16", "llama")
    from_folder("llama-biases", "F32", "llama")
    from_folder("qwen2", "BF16", "qwen2")
    from_folder("qwen3", "F32", "qwen3")
    llama3()
    for name, pre in {"gpt2": "gpt-2", "smollm": "smollm", "llama3": "llama-bpe", "qwen2": "qwen2"}.items():
        byte_level_tokenizer(name, pre)
    sentencepiece_tokenizer()
