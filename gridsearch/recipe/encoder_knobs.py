"""Knobs of the encoder: which one, what it reads, what is changed before training, what it drops."""

from typing import Annotated, Literal

from pydantic import Field

from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup, LayerCount, Probability, TokenCount


class EncoderKnobs(KnobGroup):
    """Knobs of the encoder: which one, what it reads, what is changed before training, what it drops."""

    # The encoder and its input.
    encoder: Annotated[
        str,
        Field(min_length=1),
        Knob(
            "a built-in encoder, a folder, or a Hugging Face name (not the name but its identity is hashed)",
            frozen_states="tokens",
            in_view=True,
            may_be_path=True,
        ),
    ] = "tiny"
    max_length: Annotated[
        TokenCount,
        Knob(
            "longest input in tokens, special ones included: their number, or a percentile of the training rows' "
            "lengths, rounded up to a multiple of 8, from 16 to 512",
            frozen_states="tokens",
            in_view=True,
            counts_tokens=True,
        ),
    ] = 128
    token_types: Annotated[
        Literal["segments", "zeros"],
        Knob(
            "segment ids of a pair: those of its two texts, or all 0",
            "arXiv:1810.04805, section 3",
            neutral="segments",
            cannot_act=why.no_segments,
            frozen_states="enters",
        ),
    ] = "segments"
    cooccurrence: Annotated[
        Literal["none", "add_scalar", "embedding"],
        Knob(
            "mark tokens that the other text of a pair holds too: 1 added to every dimension of what the embeddings "
            "give, or a learned vector added before their LayerNorm",
            "seed 002 and its second round (GAIIC 2021, track 3)",
            neutral="none",
            cannot_act=why.no_pair,
            frozen_states="moves",
        ),
    ] = "none"

    # What is changed before training.
    reinit_pooler: Annotated[
        bool,
        Knob(
            "draw the pooler anew: weights N(0, initializer_range), bias 0",
            "arXiv:2006.05987, section 5",
            neutral=False,
            cannot_act=why.pooler_unused,
            cost="none",
        ),
    ] = False
    reinit_layers: Annotated[
        LayerCount,
        Knob(
            "draw the top layers anew: their number, or a share of the depth",
            "arXiv:2006.05987, section 5",
            neutral=0,
            cost="none",
            counts_layers=True,
        ),
    ] = 0
    frozen_layers: Annotated[
        LayerCount | Literal["embeddings"],
        Knob(
            "never train the embeddings and this many bottom layers (a number, a share, or 'embeddings' alone)",
            "arXiv:1911.03090",
            neutral=0,
            frozen_states="enters",
            counts_layers=True,
        ),
    ] = 0
    frozen_dropout: Annotated[
        bool,
        Knob(
            "keep dropout on in the frozen part",
            neutral=False,
            cannot_act=why.nothing_frozen_drops,
            frozen_states="moves",
        ),
    ] = False

    # Dropout.
    encoder_dropout: Annotated[
        Probability | Literal["checkpoint"],
        Knob(
            "dropout inside the encoder, hidden and attention; 'checkpoint' is what its config says",
            neutral="checkpoint",
            cannot_act=why.all_is_frozen,
            cost="on",
            varies_passes=why.encoder_drops,
        ),
    ] = "checkpoint"
    mixout: Annotated[
        Probability,
        Knob(
            "probability with which a trained weight has its first value again, in each training pass; the others are "
            "scaled so that the mean stays",
            "arXiv:1909.11299",
            neutral=0.0,
            cost="on",
            varies_passes=lambda recipe, facts: recipe.mixout > 0,
        ),
    ] = 0.0
    classifier_dropout: Annotated[
        Probability,
        Knob("dropout before the classifier's last linear map", cost="on", varies_passes=why.classifier_drops),
    ] = 0.1
    multi_sample_dropout: Annotated[
        int,
        Field(ge=1, le=64),
        Knob(
            "dropout samples of the same features, whose losses are averaged; 1 is ordinary dropout",
            "arXiv:1905.09788",
            neutral=1,
            cannot_act=why.classifier_never_drops,
        ),
    ] = 1
    multi_sample_mode: Annotated[
        Literal["independent", "chained"],
        Knob(
            "each sample drops from the features, or from the sample before it (seed 002's code: the i-th of 8 samples "
            "at 0.2 keeps 0.8^i)",
            "arXiv:1905.09788; seed 002",
            neutral="independent",
            cannot_act=why.one_sample,
        ),
    ] = "independent"
