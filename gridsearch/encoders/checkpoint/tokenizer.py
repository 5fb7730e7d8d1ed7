"""An encoder's tokenizer: its files, read into memory, and what is made of them."""

import codecs
import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gridsearch.encoders.checkpoint.config import CONFIG, model_config, read_config
from gridsearch.encoders.checkpoint.text_files import head_of, json_in, refuse_stand_in, text_in
from gridsearch.encoders.families import n_token_types
from gridsearch.errors import RequestError, first_line
from gridsearch.scratch import scratch_folder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SENTENCEPIECE = ("spiece.model", "spm.model", "sentencepiece.bpe.model")
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", *_SENTENCEPIECE)
"""Files each of which has the tokens of a tokenizer."""
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    *_SENTENCEPIECE,
)
_SETTINGS, _CLASS = "tokenizer_config.json", "tokenizer_class"
_WORD_PIECE = ("BertTokenizer", "BertTokenizerFast")


def tokenizer_files(folder: Path) -> dict[str, bytes]:
    """Read the tokenizer's files, and the config that names its class, into memory.

    Raises RequestError for one that is no text in UTF-8, no JSON where it should be, or something else.
    """
    files = {}
    for path in (folder / name for name in (CONFIG, *TOKENIZER)):
        if not path.is_file():
            continue
        refuse_stand_in(path, head_of(path), "a part of the tokenizer")
        content = path.read_bytes()
        if path.suffix in (".txt", ".json"):
            text = text_in(content, path)
            content = content.removeprefix(codecs.BOM_UTF8)
            if path.suffix == ".json":
                json_in(text, path)
        files[path.name] = content
    if "vocab.json" in files and not {"merges.txt", "tokenizer.json"} & files.keys():
        raise RequestError(f"the encoder folder {folder} lacks merges.txt, without which vocab.json cannot be used")
    return files


def build_tokenizer(files: Mapping[str, bytes]) -> "PreTrainedTokenizerBase":
    """Make a tokenizer from its files; it gives segment ids to encoders that tell two segments apart, and to no other.

    Raises RequestError for one that cannot be made, or that is not this encoder's.
    """
    with scratch_folder() as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        config = read_config(folder)
        try:
            tokenizer = _read_tokenizer(folder, files, config)
        except Exception as error:  # a damaged file can fail in any of three libraries
            raise RequestError(_why_unreadable(files, error)) from None
    _refuse_another_encoders(tokenizer, config)
    _fill_rows_up(tokenizer, config)
    if n_token_types(config, CONFIG) < 2:
        tokenizer.model_input_names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    return tokenizer


def _why_unreadable(files: Mapping[str, bytes], error: Exception) -> str:
    import transformers

    if any(name in files for name in _SENTENCEPIECE) and find_spec("sentencepiece") is None:
        return "the encoder's tokenizer is a SentencePiece model, which needs its package: pip install sentencepiece"
    named = next((json.loads(files[name]).get(_CLASS) for name in (_SETTINGS, CONFIG) if name in files), None)
    if named is not None and not hasattr(transformers, str(named)):
        return f"the encoder's {_SETTINGS} names a {_CLASS} that is not known, {named!r}: take it out of the file"
    vocabulary = next((name for name in VOCABULARIES if name in files), "files")
    reason = f" ({first_line(error)})" if isinstance(error, ValueError | OSError) else ""
    return (
        f"no tokenizer can be made of the encoder's {vocabulary}{reason}: download its tokenizer files again, all from "
        "one place"
    )


def _refuse_another_encoders(tokenizer: "PreTrainedTokenizerBase", config: Mapping[str, Any]) -> None:
    """Raise RequestError unless every token has a row in the word table, and most rows a token."""
    # A vocabulary may leave numbers out.
    n_tokens = max(tokenizer.get_vocab().values(), default=-1) + 1
    n_rows = int(config.get("vocab_size", n_tokens))
    if n_tokens > n_rows:
        beyond = sorted((number, token) for token, number in tokenizer.get_vocab().items() if number >= n_rows)
        names = ", ".join(repr(token) for _, token in beyond[:3]) + (", …" if len(beyond) > 3 else "")
        raise RequestError(
            f"the tokenizer knows {n_tokens} tokens, but the encoder {n_rows}: its word table has no row for {names}; "
            "take the encoder's own tokenizer files, or take these tokens out of them"
        )
    # Published tables are rounded up. A tokenizer that finds no file of its own knows nothing but special tokens.
    if n_tokens < n_rows / 2:
        raise RequestError(
            f"the tokenizer knows {n_tokens} tokens, but the encoder {n_rows}: take the encoder's own tokenizer files"
        )


def _fill_rows_up(tokenizer: "PreTrainedTokenizerBase", config: Mapping[str, Any]) -> None:
    """See that there is a token to fill rows up with: its own, or that of the encoder's config."""
    if tokenizer.pad_token_id is not None:
        return
    number = config.get("pad_token_id")
    token = tokenizer.convert_ids_to_tokens(number) if isinstance(number, int) and number >= 0 else None
    if not isinstance(token, str):
        said = "no pad_token_id" if number is None else f"pad_token_id = {number}, which is none of its tokens"
        raise RequestError(
            f"the encoder's tokenizer has no token to fill rows up with, and {CONFIG} has {said}: write "
            f'"pad_token": "[PAD]", or what the token is called in its vocabulary, into {_SETTINGS}'
        )
    tokenizer.pad_token = token


def _read_tokenizer(folder: Path, files: Mapping[str, bytes], config: Mapping[str, Any]) -> "PreTrainedTokenizerBase":
    from transformers import AutoTokenizer, BertTokenizer

    tokenizer: PreTrainedTokenizerBase
    named = [json.loads(files[name]).get(_CLASS) for name in (_SETTINGS, CONFIG) if name in files]
    if "vocab.txt" in files and "tokenizer.json" not in files and {*named} <= {None, *_WORD_PIECE}:
        # Chinese ALBERTs come like this; their family's own class looks for another file, whatever is named.
        tokenizer = BertTokenizer.from_pretrained(folder, local_files_only=True)
    else:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, config=model_config(config), local_files_only=True, trust_remote_code=False
        )
    return tokenizer
