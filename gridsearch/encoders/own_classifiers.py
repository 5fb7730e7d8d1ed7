"""What each family's own classifier in transformers is, in our knobs: where a trained head finds its place in it.

All of them are a linear map of the first token's state and its activation (or the mean's), and a linear map to logits.
Sources: the classes that transformers calls ...ForSequenceClassification, version 5.23.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gridsearch.recipe.recipe import Recipe


@dataclass(frozen=True)
class OwnClassifier:
    """The modules of a family's classifier: ``dense``, with its ``activation``, and ``output``.

    In ``dense``, {} is what the encoder is called there. ``poolings`` are those that it can have, each with what its
    config has to say. ``acts_as`` names the key of a config that says the activation, where one does.
    """

    dense: str
    activation: str
    output: str
    poolings: Mapping[str, Mapping[str, Any]]
    acts_as: str = ""


_CLS: Mapping[str, Mapping[str, Any]] = {"cls": {}}
_POOLER = OwnClassifier("{}.pooler.dense", "tanh", "classifier", _CLS)
_HEAD = OwnClassifier("classifier.dense", "tanh", "classifier.out_proj", _CLS)
_CONTEXT = OwnClassifier("pooler.dense", "gelu", "classifier", _CLS, acts_as="pooler_hidden_act")
_ACTS_AS_LAYERS = OwnClassifier("classifier.dense", "gelu", "classifier.out_proj", _CLS, acts_as="hidden_act")

OWN_CLASSIFIERS: Mapping[str, OwnClassifier] = {
    "bert": _POOLER,
    "ernie": _POOLER,
    "megatron-bert": _POOLER,
    "rembert": _POOLER,
    "nomic_bert": _POOLER,
    "gte": _POOLER,
    "albert": OwnClassifier("{}.pooler", "tanh", "classifier", _CLS),
    "roberta": _HEAD,
    "xlm-roberta": _HEAD,
    "xlm-roberta-xl": _HEAD,
    "roberta-prelayernorm": _HEAD,
    "camembert": _HEAD,
    "mpnet": _HEAD,
    "jina_embeddings_v3": _HEAD,
    "electra": OwnClassifier("classifier.dense", "gelu", "classifier.out_proj", _CLS),
    "distilbert": OwnClassifier("pre_classifier", "relu", "classifier", _CLS),
    "deberta": _CONTEXT,
    "deberta-v2": _CONTEXT,
    "roformer": _ACTS_AS_LAYERS,
    "big_bird": _ACTS_AS_LAYERS,
    "eurobert": OwnClassifier(
        "dense",
        "gelu",
        "classifier",
        {"cls": {"classifier_pooling": "bos"}, "mean": {"classifier_pooling": "mean"}},
    ),
}
"""By family. NEZHA is none of transformers'; ModernBERT has a norm between its two maps, which no knob of ours is; and
ConvBERT's code lets padding change what it says of a text."""


def why_not_own(recipe: Recipe, family: str, config: Mapping[str, Any]) -> str | None:
    """Say which knob makes a classifier another one than its family's own in transformers; None where none does.

    ``config`` is that of the encoder. Whatever acts in training alone makes no difference.
    """
    own = OWN_CLASSIFIERS.get(family)
    if own is None:
        return f"no classifier of {family} encoders in transformers is one of ours"
    if recipe.cooccurrence != "none":
        return f"cooccurrence = {recipe.cooccurrence} marks words in its input, which transformers does not"
    if recipe.prediction_order != "as_is":
        return f"prediction_order = {recipe.prediction_order} reads each pair twice, which transformers does not"
    if _is_in(recipe, own, config):
        return None
    width = config.get("hidden_size", config.get("dim"))
    poolings = " or ".join(own.poolings)
    ways = f"pooling = {poolings} with head = mlp, head_activation = {own.activation} and head_width = {width}"
    if own.activation == "tanh":
        ways += ", or pooling = pooler with head = linear"
    hidden = f", head_activation = {recipe.head_activation}, head_width = {recipe.head_width}"
    mine = f"pooling = {recipe.pooling} and head = {recipe.head}{hidden if recipe.head == 'mlp' else ''}"
    acts = f" where the encoder's {own.acts_as} is {own.activation}" if own.acts_as == "hidden_act" else ""
    return f"it has {mine}, and transformers' own classifier of {family} encoders is {ways}{acts}"


def _is_in(recipe: Recipe, own: OwnClassifier, config: Mapping[str, Any]) -> bool:
    if recipe.head == "linear":
        return recipe.pooling == "pooler" and own.activation == "tanh"
    width = config.get("hidden_size", config.get("dim"))
    asked = (recipe.head, recipe.head_activation, recipe.head_width)
    acts = own.acts_as != "hidden_act" or config.get("hidden_act", "gelu") == own.activation
    return acts and recipe.pooling in own.poolings and asked == ("mlp", own.activation, width)


def config_of_own(recipe: Recipe, family: str) -> dict[str, Any]:
    """Return what a config has to say so that transformers builds this classifier."""
    own = OWN_CLASSIFIERS[family]
    acts = {own.acts_as: own.activation} if own.acts_as and own.acts_as != "hidden_act" else {}
    return {**own.poolings.get(recipe.pooling, {}), **acts}
