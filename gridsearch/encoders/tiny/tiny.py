"""The encoder ``tiny``: a 12-layer BERT, 64 wide, made from a task's own texts, once, and kept in the cache.

Random weights learn nothing from 1,500 rows, and neither do those that a minute of masked language modelling makes of
them. So most is written down, from word vectors that are counted (``weights.py``), before it is trained for seconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from gridsearch.cache import cache_folder, locked, whole_folder
from gridsearch.canonical import fingerprint
from gridsearch.checksums import damaged_file
from gridsearch.encoders.card import EncoderCard
from gridsearch.encoders.tiny.weights import DROPOUT, TinyRecipe, make_model
from gridsearch.encoders.vocabulary import SPECIAL_TOKENS, build_vocabulary

if TYPE_CHECKING:
    from transformers import BertTokenizer

TINY = TinyRecipe()
"""What `--model tiny` means."""

FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


def identity(corpus: Sequence[str], recipe: TinyRecipe = TINY, ids: Sequence[str] = ()) -> str:
    """Return the encoder's name in trial ids: a hash of what it is made from, known before it is made.

    ``ids`` are the words that it knows where the texts are ids.
    """
    return f"tiny-{fingerprint([asdict(recipe), list(corpus), *([list(ids)] if ids else [])])}"


def card(corpus: Sequence[str], recipe: TinyRecipe = TINY) -> EncoderCard:
    """Describe the encoder without making it."""
    note = "tiny is a toy made from the task's own texts in seconds: a trick may act otherwise on a pretrained encoder"
    return EncoderCard(
        "tiny",
        identity(corpus, recipe),
        "bert",
        recipe.n_layers,
        True,
        recipe.n_positions,
        (note,),
        DROPOUT,
        is_made_of_the_texts=True,
    )


def folder(
    corpus: Sequence[str],
    recipe: TinyRecipe = TINY,
    say: Callable[[str], None] = lambda sentence: None,
    ids: Sequence[str] = (),
) -> Path:
    """Return the encoder's folder in the Hugging Face format, after making it where it is not in the cache.

    Of several processes that ask at once one makes it and the others wait.
    """
    place = cache_folder() / "encoders" / identity(corpus, recipe, ids)
    if is_whole(place):
        return place
    with locked(place):
        if not is_whole(place):
            with whole_folder(place) as draft:
                build(corpus, recipe, draft, say, ids)
    return place


def is_whole(place: Path) -> bool:
    """Tell whether a folder holds all files of an encoder, as they were written. To make it again takes seconds."""
    return damaged_file(place) is None


def make_tokenizer(corpus: Sequence[str], recipe: TinyRecipe = TINY, ids: Sequence[str] = ()) -> "BertTokenizer":
    """Make the encoder's tokenizer alone: the same that is among its files."""
    from transformers import BertTokenizer

    texts = _texts_of(corpus, recipe)
    vocabulary = [*SPECIAL_TOKENS, *ids] if ids else build_vocabulary(texts, recipe.n_tokens_most)
    tokens = {token: index for index, token in enumerate(vocabulary)}
    return BertTokenizer(vocab=tokens, model_max_length=recipe.n_positions)


def _texts_of(corpus: Sequence[str], recipe: TinyRecipe) -> Sequence[str]:
    """Return every k-th text, k rounded up, of a corpus that has more than are read."""
    return corpus[:: -(-len(corpus) // recipe.n_texts_most)]


def build(
    corpus: Sequence[str], recipe: TinyRecipe, target: Path, say: Callable[[str], None], ids: Sequence[str] = ()
) -> None:
    """Make the encoder's files: the same bytes in every process, whatever its thread count and random state."""
    import torch
    from safetensors.torch import save_file

    from gridsearch.threads import threads_of

    texts = _texts_of(corpus, recipe)
    say(f"making the encoder tiny from {len(texts)} texts")
    tokenizer = make_tokenizer(corpus, recipe, ids)
    vocabulary = sorted((known := tokenizer.get_vocab()), key=known.__getitem__)
    token_ids = tokenizer(list(texts), truncation=True, add_special_tokens=False)["input_ids"]
    # Sums over another number of threads are rounded otherwise.
    with threads_of(1), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = make_model(token_ids, len(vocabulary), recipe)
    # Not model.save_pretrained: it draws a progress bar over our own line.
    model.config.architectures = ["BertModel"]
    model.config.save_pretrained(target)
    save_file(model.state_dict(), target / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save_pretrained(target)
    (target / "vocab.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
