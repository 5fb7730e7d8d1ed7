"""The tokenizer of ids: each number is a word, and around texts stands what the encoder's own tokenizer puts there."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gridsearch.encoders.checkpoint.config import CONFIG
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.ids.alignment import OwnTokens, tokens_of, tokens_with_special
from gridsearch.encoders.ids.vocabulary import IdsVocabulary
from gridsearch.scratch import scratch_folder

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from gridsearch.encoders.card import EncoderCard

PROBE = "1"
_OF_ITS_OWN_TOKENIZER = ("tokenizer_class", "auto_map")
"""Config keys that say how an encoder's own tokenizer is read."""


def ids_tokenizer(files: Mapping[str, bytes], vocabulary: IdsVocabulary) -> dict[str, bytes]:
    """Return the files of a tokenizer of ids, for an encoder whose own tokenizer has these files.

    Special tokens, segment ids and the cut of long texts are as there. Of the config there is all, with the new sizes.
    """
    own = build_tokenizer(files)
    known = tokens_of(own)
    tokens = {token: number for number, token in enumerate(tokens_with_special(known, vocabulary))}
    special = {known.ids[token]: tokens[token] for token in known.special}
    config = config_with(json.loads(files[CONFIG]), len(tokens), special)
    return {**_files_of(own, known, tokens), CONFIG: (json.dumps(config, indent=2, sort_keys=True) + "\n").encode()}


def tokenizer_as_read(files: Mapping[str, bytes], card: "EncoderCard") -> Mapping[str, bytes]:
    """Return the files of the tokenizer by which a card's encoder reads texts, given those of its own one.

    They differ where it is given a vocabulary of ids; what is made of the texts has that already.
    """
    return files if card.ids is None or card.is_made_of_the_texts else ids_tokenizer(files, card.ids)


def config_with(settings: Mapping[str, Any], n_tokens: int, special: Mapping[int, int]) -> dict[str, Any]:
    """Return a config for another vocabulary; ``special`` maps the former ids of special tokens to the new ones."""
    kept = {key: value for key, value in settings.items() if key not in _OF_ITS_OWN_TOKENIZER}
    named = {key: special[value] for key, value in kept.items() if key.endswith("_token_id") and value in special}
    return {**kept, **named, "vocab_size": n_tokens}


def _files_of(own: "PreTrainedTokenizerBase", known: OwnTokens, tokens: Mapping[str, int]) -> dict[str, bytes]:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(WordLevel(dict(tokens), unk_token=known.roles["unk_token"]))
    backend.pre_tokenizer = WhitespaceSplit()
    # build_tokenizer takes segment ids away where the encoder has no segments, and will again.
    own.model_input_names = list(type(own).model_input_names)
    backend.post_processor = TemplateProcessing(
        single=_template(own, is_pair=False),
        pair=_template(own, is_pair=True),
        special_tokens=[(token, tokens[token]) for token in known.special],
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=own.model_max_length,
        padding_side=own.padding_side,
        truncation_side=own.truncation_side,
        model_input_names=own.model_input_names,
        **known.roles,
    )
    with scratch_folder() as folder:
        tokenizer.save_pretrained(folder)
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _template(own: "PreTrainedTokenizerBase", *, is_pair: bool) -> list[str]:
    """Spell what a tokenizer makes of one text or two: special tokens, and $A and $B for the texts."""
    row = own(
        PROBE,
        PROBE if is_pair else None,
        return_token_type_ids=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
    )
    names, texts, found = own.convert_ids_to_tokens(row["input_ids"]), iter("AB"), list[str]()
    length = row["special_tokens_mask"].count(0) // (2 if is_pair else 1)
    n_of_texts = 0
    for name, kind, is_special in zip(names, row["token_type_ids"], row["special_tokens_mask"], strict=True):
        if is_special:
            found.append(f"{name}:{kind}")
            continue
        if n_of_texts % length == 0:
            found.append(f"${next(texts)}:{kind}")
        n_of_texts += 1
    return found
