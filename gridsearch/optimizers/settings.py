"""What the updates of a training need to know, whichever recipe says it: a fine-tune's or a pretraining's."""

from dataclasses import dataclass
from typing import Literal

from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.shares import whole_steps
from gridsearch.recipe.trial_facts import Rows


@dataclass(frozen=True, kw_only=True)
class UpdateSettings:
    """Knobs of the optimizer, its schedule and the averages, with the number of steps that they are spread over.

    The names are those of the knobs. ``swa_first_step``: steps before weights are averaged, None when they never are.
    """

    total_steps: int
    learning_rate: float
    optimizer: Literal["adamw", "original_bert_adam"] = "adamw"
    bert_adam: bool = False
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    layer_decay: float = 1.0
    weight_decay: float = 0.0
    decay_exclude: Literal["bias_and_norm", "none"] = "bias_and_norm"
    clip_norm: float | Literal["none"] = "none"
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_proportion: float = 0.0
    lookahead_steps: int = 0
    lookahead_alpha: float = 0.5
    ema_decay: float = 0.0
    swa_first_step: int | None = None
    swa_every: int = 1
    swa_learning_rate: float | Literal["schedule"] = "schedule"

    @property
    def warmup_steps(self) -> int:
        """Steps of the warm-up, rounded down."""
        return whole_steps(self.warmup_proportion, self.total_steps)

    @property
    def steps_scheduled(self) -> int:
        """Steps whose learning rate the schedule says: those before an average with a rate of its own."""
        if self.swa_first_step is None or self.swa_learning_rate == "schedule":
            return self.total_steps
        return self.swa_first_step


def settings_of(recipe: Recipe, rows: Rows) -> UpdateSettings:
    """Return what a fine-tune's recipe says of its updates."""
    return UpdateSettings(
        total_steps=recipe.total_steps(rows),
        learning_rate=recipe.learning_rate,
        optimizer=recipe.optimizer,
        bert_adam=recipe.bert_adam,
        adam_epsilon=recipe.adam_epsilon,
        layer_decay=recipe.layer_decay,
        weight_decay=recipe.weight_decay,
        decay_exclude=recipe.decay_exclude,
        clip_norm=recipe.clip_norm,
        schedule=recipe.schedule,
        warmup_proportion=recipe.warmup_proportion,
        lookahead_steps=recipe.lookahead_steps,
        lookahead_alpha=recipe.lookahead_alpha,
        ema_decay=recipe.ema_decay,
        swa_first_step=recipe.swa_first_step(rows),
        swa_every=recipe.swa_every,
        swa_learning_rate=recipe.swa_learning_rate,
    )
