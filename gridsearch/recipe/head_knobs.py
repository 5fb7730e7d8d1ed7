"""Knobs from token states to logits."""

from typing import Annotated, Literal

from pydantic import Field

from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup, Probability, Share


class HeadKnobs(KnobGroup):
    """Knobs from token states to logits."""

    # From token states to logits.
    pooling: Annotated[
        Literal[
            "cls",
            "pooler",
            "mean",
            "first_last_avg",
            "max",
            "first_last_avg_unmasked",
            "cls_cat",
            "cls_cat_poolers",
            "mean_cat",
            "dynamic",
            "attention",
            "flatten",
            "segments",
        ],
        Knob(
            "how token states become one vector: see encoders/pooling.py",
            "arXiv:1810.04805; arXiv:2103.15316; arXiv:1908.10084 for segments",
        ),
    ] = "cls"
    pooling_layers: Annotated[
        Annotated[int, Field(ge=1)] | Share | Literal["all"],
        Knob(
            "top layers that cls_cat, cls_cat_poolers, mean_cat and dynamic read: a number, a share, or all",
            "arXiv:1810.04805, section 5.3, for the last four",
            neutral="all",
            cannot_act=why.not_layered,
            counts_layers=True,
        ),
    ] = "all"
    head: Annotated[
        Literal["linear", "mlp", "label_attention"],
        Knob(
            "dropout and a linear map, a hidden layer before them, or several linear maps whose logits are added with "
            "weights that a softmax gives each row",
            "arXiv:1810.04805; seed 000 for the hidden layer; github.com/rogerrojur/tianchi-multi-task-nlp for "
            "label_attention",
            neutral="linear",
        ),
    ] = "linear"
    head_width: Annotated[
        int, Field(ge=1), Knob("units of the hidden layer", "seed 000", neutral=2048, cannot_act=why.no_hidden_layer)
    ] = 2048
    head_activation: Annotated[
        Literal["gelu", "relu", "tanh", "none"],
        Knob(
            "activation of the hidden layer; 'none' is seed 000's, two linear maps in a row",
            "arXiv:2003.10555's released head for gelu; seed 000",
            neutral="gelu",
            cannot_act=why.no_hidden_layer,
        ),
    ] = "gelu"
    head_slots: Annotated[
        int,
        Field(ge=2),
        Knob(
            "linear maps of the head whose logits are added",
            "github.com/rogerrojur/tianchi-multi-task-nlp",
            neutral=16,
            cannot_act=why.no_slots,
        ),
    ] = 16
    head_attention_dropout: Annotated[
        Probability,
        Knob(
            "dropout of the weights with which these logits are added, after the softmax",
            "github.com/rogerrojur/tianchi-multi-task-nlp",
            neutral=0.2,
            cannot_act=why.no_slots,
            cost="on",
            varies_passes=why.slots_drop,
        ),
    ] = 0.2
