"""Trains small tokenizers of the kinds of Llama, Mistral, SmolLM2 and Qwen, with the results of `tokenizers` and
`transformers` in Python for a corpus and for conversations.

    $CIPO_PEER_PYTHON datasets/models/tokenizer_files.py      writes datasets/models/fixtures/tokenizers
"""

import json
import pathlib
import shutil

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

from corpus import CONVERSATIONS, CORPUS, TRAINING

OUT = pathlib.Path(__file__).parent / "fixtures" / "tokenizers"
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are helpful<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA3 = (
    "{{- bos_token }}{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content']|trim %}"
    "{%- set messages = messages[1:] %}{%- else %}{%- set system_message = '' %}{%- endif %}"
    "{{- '<|im_start|>system\\n\\n' + system_message + '<|im_end|>' }}"
    "{%- for message in messages %}{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{- raise_exception('Conversation roles must alternate') }}{%- endif %}"
    "{{- '<|im_start|>' + message['role'] + '\\n\\n' + message['content'] | trim + '<|im_end|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n\\n' }}{%- endif %}"
)

# What layouts of models that think use: slices, namespaces, tests and methods of strings; written for this project.
THINKING = """{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(open=true, last=messages|length - 1, asked=[]) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.open and message.role == "user" and message.content is string and not (message.content.startswith('<note>') and message.content.endswith('</note>')) %}
        {%- set ns.open = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- set users = messages | selectattr("role", "equalto", "user") | list %}
{%- for message in messages %}
    {%- if message.content is string %}{%- set content = message.content %}{%- else %}{%- set content = '' %}{%- endif %}
    {%- if message.role not in ["assistant", "tool"] and not (message.role == "system" and loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {%- set thought = '' %}
        {%- if message.reasoning_content is defined and message.reasoning_content is not none %}
            {%- set thought = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set thought = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last and (loop.last or thought) %}
            {{- '<|im_start|>assistant\\n<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' + content }}
        {%- else %}
            {{- '<|im_start|>assistant\\n' + content }}
        {%- endif %}
        {%- if message.get("tool_calls") %}{{- message.tool_calls | tojson }}{%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if tools %}{{- raise_exception('no tools here') }}{%- endif %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant ' ~ users|length ~ '\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
{%- endif %}"""


def byte_level(pre, normalizer=None, bos=False, **model):
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<|endoftext|> $A", pair="<|endoftext|> $A <|endoftext|> $B", special_tokens=[("<|endoftext|>", 0)]
        )
    return tokenizer


def split(digits):
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS % digits), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def sentence_pieces(normalizer, pre, decoder):
    """BPE over characters with byte fallback, as converted from SentencePiece."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(?<=[^▁])(?=▁)"), "isolated")
    special = ["<unk>", "<s>", "</s>"]
    singles = [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=special + singles, limit_alphabet=60, show_progress=False
    )
    tokenizer.train_from_iterator(TRAINING, trainer)
    # The bytes are words of the model, not special tokens.
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = content["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoder
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def metaspaced(strip):
    parts = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence(parts + ([decoders.Strip(" ", 1, 0)] if strip else []))


def added(tokenizer, token, special=False, **how):
    tokenizer.add_tokens([AddedToken(token, special=special, normalized=False, **how)])
    return tokenizer


BYTE = dict(bos_token="<|endoftext|>", eos_token="<|im_end|>", unk_token="<|endoftext|>", pad_token="<|im_end|>")
PIECES = dict(bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="</s>")
KINDS = {
    "gpt2": (lambda: byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False)), BYTE, CHATML),
    "smollm": (
        lambda: byte_level(
            pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
        ),
        BYTE,
        CHATML,
    ),
    "llama3": (lambda: byte_level(split(r"\p{N}{1,3}"), bos=True, ignore_merges=True), BYTE, LLAMA3),
    "qwen2": (
        lambda: added(byte_level(split(r"\p{N}"), normalizers.NFC()), "<think>"),
        BYTE,
        THINKING,
    ),
    "llama2": (
        lambda: sentence_pieces(
            normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]), None, metaspaced(True)
        ),
        PIECES,
        None,
    ),
    "mistral": (
        lambda: sentence_pieces(
            None, pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False), metaspaced(True)
        ),
        PIECES,
        None,
    ),
}


def make(name, build, names, template):
    folder = OUT / name
    folder.mkdir(parents=True)
    build().save(str(folder / "tokenizer.json"), pretty=False)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **names}
    if template and name == "llama3":
        (folder / "chat_template.jinja").write_text(template)
    elif template:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = []
    for text in CORPUS:
        ids = tokenizer.encode(text, add_special_tokens=False)
        decoded = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        texts.append({"ids": ids, **({} if decoded == text else {"decoded": decoded})})
    chats = []
    for messages in CONVERSATIONS if template else []:
        chats.append(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))
    (folder / "expected.json").write_text(json.dumps({"texts": texts, "chats": chats}, separators=(",", ":")))
    print(name, sum(f.stat().st_size for f in folder.iterdir()), "bytes,", sum("decoded" in t for t in texts), "texts that do not come back the same")


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    (OUT / "corpus.json").write_text(json.dumps({"texts": CORPUS, "conversations": CONVERSATIONS}, separators=(",", ":")))
    for name, kind in KINDS.items():
        make(name, *kind)
