"""Knobs of the optimizer and its schedule."""

from typing import Annotated, Literal

from pydantic import Field

from gridsearch.recipe import dead_knobs as why
from gridsearch.recipe.begins import schedule_begins
from gridsearch.recipe.knob import Knob
from gridsearch.recipe.knob_group import KnobGroup, Weight


class OptimizerKnobs(KnobGroup):
    """Knobs of the optimizer and its schedule."""

    # The optimizer and its schedule.
    epochs: Annotated[int, Field(ge=1, le=1000), Knob("passes over the training rows")] = 3
    batch_size: Annotated[int, Field(ge=1), Knob("rows of one forward and backward pass")] = 32
    gradient_accumulation: Annotated[
        int,
        Field(ge=1),
        Knob("batches of batch_size rows that one optimizer step adds up", neutral=1, cannot_act=why.one_batch),
    ] = 1
    optimizer: Annotated[
        Literal["adamw", "original_bert_adam"],
        Knob(
            "AdamW, or BertAdam as first released for PyTorch: no bias correction, each tensor's gradient clipped to "
            "norm 1, decay inside the step, warm-up as a share and not a whole number of steps",
            "arXiv:1711.05101; pytorch-pretrained-bert, optimization.py",
            neutral="adamw",
        ),
    ] = "adamw"
    learning_rate: Annotated[
        float,
        Field(gt=0, le=1),
        Knob("peak learning rate of every parameter", "arXiv:1810.04805, appendix A.3", cost="none"),
    ] = 5e-5
    layer_decay: Annotated[
        float,
        Field(gt=0, le=1),
        Knob(
            "factor of the learning rate from each layer to the one below: the head has all of it, the embeddings "
            "layer_decay^(layers + 1)",
            "arXiv:1801.06146, section 3.2; arXiv:2006.05987, section 5.2",
            neutral=1.0,
            cannot_act=why.only_the_head_trains,
            cost="on",
        ),
    ] = 1.0
    adam_epsilon: Annotated[
        float, Field(gt=0), Knob("added to the root of Adam's second moment", "arXiv:1412.6980", cost="none")
    ] = 1e-8
    bert_adam: Annotated[
        bool,
        Knob(
            "Adam without bias correction: early steps are up to 6.5 times as large",
            "arXiv:2006.05987, section 4; arXiv:1810.04805's released optimizer",
            neutral=False,
            cannot_act=why.never_corrected,
        ),
    ] = False
    weight_decay: Annotated[
        float,
        Field(ge=0, le=1),
        Knob("decoupled weight decay, multiplied by the learning rate", "arXiv:1711.05101", neutral=0.0, cost="on"),
    ] = 0.0
    decay_exclude: Annotated[
        Literal["bias_and_norm", "none"],
        Knob(
            "parameters that are not decayed: every bias and the weights of every LayerNorm, or none",
            "google-research/bert, optimization.py",
            neutral="bias_and_norm",
            cannot_act=why.nothing_decays,
        ),
    ] = "bias_and_norm"
    clip_norm: Annotated[
        Weight | Literal["none"],
        Knob("largest norm of all gradients together; longer ones are scaled down", neutral="none", cost="on"),
    ] = "none"
    schedule: Annotated[
        Literal["linear", "cosine", "constant"],
        Knob(
            "course of the learning rate after the warm-up: linear or half a cosine down to 0, or constant",
            "google-research/bert, optimization.py; arXiv:1608.03983",
            neutral="linear",
            cannot_act=why.one_scheduled_step,
            cost="none",
            begins=schedule_begins,
        ),
    ] = "linear"
    warmup_proportion: Annotated[
        float,
        Field(ge=0, lt=1),
        Knob(
            "share of all steps in which the learning rate rises linearly from 0",
            "google-research/bert, optimization.py",
            neutral=0.0,
            cannot_act=why.no_warmup_step,
            cost="none",
        ),
    ] = 0.0
