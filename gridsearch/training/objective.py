"""The optimizer steps of a trial: passes, attack, update, and the weights that follow it."""

import contextlib
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from gridsearch.encoders.classifier import Classifier, trainable
from gridsearch.encoders.dropout import Whole
from gridsearch.optimizers.adam import build_optimizer
from gridsearch.optimizers.adversarial import Pass, PlainBackward, build_attack
from gridsearch.optimizers.averaging import ExponentialAverage, Follower, Lookahead, PlainAverage
from gridsearch.optimizers.groups import parameter_groups
from gridsearch.optimizers.schedule import build_schedule
from gridsearch.randomness import derived_seed, numpy_stream
from gridsearch.recipe.recipe import Recipe
from gridsearch.tasks.batches import collate, training_batches
from gridsearch.tasks.encode import EncodedTask
from gridsearch.training.losses import Loss, StepSize
from gridsearch.trial import Trial


class Steps:
    """What the steps of a trial need, and how many have been taken."""

    def __init__(
        self, trial: Trial, data: EncodedTask, model: Classifier, device: torch.device, micro_batch_divisor: int = 1
    ) -> None:
        recipe = trial.recipe
        self.recipe, self.seed, self.data, self.model, self.device = recipe, trial.seed, data, model, device
        self.n_taken = 0
        self.micro_batch_rows = math.ceil(recipe.batch_size / micro_batch_divisor)
        assert data.train.labels is not None
        self.loss = Loss(recipe, data.train.labels, data.n_labels, device)
        self.attack = build_attack(
            recipe, model.word_embeddings, pad_id=data.pad_id, token_ids=data.train.ids, seed=trial.seed
        )
        self.optimizer = build_optimizer(
            recipe,
            parameter_groups(
                model,
                weight_decay=recipe.weight_decay,
                exclude=recipe.decay_exclude,
                layer_decay=recipe.layer_decay,
                depths=model.depths(),
            ),
        )
        self.learning_rate_at = build_schedule(recipe, len(data.train))
        self.followers = build_followers(recipe, trainable(model), len(data.train))

    def batches(self, epoch: int) -> list[list[np.ndarray]]:
        """Return the rows of each batch of each step of an epoch, which counts from 1."""
        order = numpy_stream(self.seed, "order", epoch)
        batches = training_batches(self.data.train.lengths, self.recipe.batch_size, order)
        accumulation = self.recipe.gradient_accumulation
        return [batches[start : start + accumulation] for start in range(0, len(batches), accumulation)]

    def run_epoch(self, epoch: int, before_step: Callable[[], None] = lambda: None) -> float:
        """Train on every row once; return the mean loss of a step. ``before_step`` may raise."""
        self.model.train()
        # Summed where it is computed and read once an epoch: reading it every step would stall a GPU.
        total = torch.zeros((), device=self.device)
        steps = self.batches(epoch)
        for batches in steps:
            before_step()
            total += self.step(batches, epoch)
        return float(total) / len(steps)

    def step(self, batches: list[np.ndarray], epoch: int) -> Tensor:
        """Take one optimizer step on the rows of some batches; return their mean loss."""
        torch.manual_seed(derived_seed(self.seed, "dropout", self.n_taken))
        attack = self.attack if epoch >= self.recipe.adversarial_start else PlainBackward()
        size = self.loss.size_of(np.concatenate(batches))
        self.optimizer.zero_grad(set_to_none=True)
        losses = [attack.backward(self._passes(batch, size)) for batch in batches]
        self._update()
        return torch.stack(losses).sum()

    def _passes(self, batch: np.ndarray, size: StepSize) -> list[Pass]:
        """Return what computes the loss of each micro-batch of a batch: all as if the batch were computed at once."""
        width = self.model.padded_width or int(self.data.train.lengths_of(batch).max())
        starts = range(0, len(batch), self.micro_batch_rows)
        parts = [slice(start, min(start + self.micro_batch_rows, len(batch))) for start in starts]
        whole = Whole(len(batch))
        return [self._pass(batch, part, size, width, whole) for part in parts]

    def _pass(self, batch: np.ndarray, part: slice, size: StepSize, width: int, whole: Whole) -> Pass:
        rows = batch[part]
        inputs = collate(self.data.train, rows, self.data.pad_id, self.device, width)

        def loss() -> Tensor:
            with autocast(self.recipe.precision, self.device), whole.part(part):
                logits = [self.model(inputs) for _ in range(self.loss.n_passes)]
            return self.loss(logits, rows, size)

        return loss

    def _update(self) -> None:
        if self.recipe.clip_norm != "none":
            nn.utils.clip_grad_norm_(trainable(self.model), self.recipe.clip_norm)
        learning_rate = self.learning_rate_at(self.n_taken)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate * group["share"]
        self.optimizer.step()
        self.n_taken += 1
        for follower in self.followers:
            follower.after_step(self.n_taken)

    def evaluated_weights(self) -> contextlib.AbstractContextManager[None]:
        """Let the model compute with the weights that the recipe evaluates: those of the last follower, or its own."""
        ready = [follower for follower in self.followers if follower.is_ready]
        return ready[-1].in_place() if ready else contextlib.nullcontext()


def build_followers(recipe: Recipe, parameters: list[nn.Parameter], n_train_rows: int) -> list[Follower]:
    """Make what follows the trained weights, in the order in which it acts: an average follows Lookahead's result."""
    followers: list[Follower] = []
    if recipe.lookahead_steps:
        followers.append(Lookahead(parameters, recipe.lookahead_steps, recipe.lookahead_alpha))
    if recipe.ema_decay:
        followers.append(ExponentialAverage(parameters, recipe.ema_decay))
    first_step = recipe.swa_first_step(n_train_rows)
    if first_step is not None:
        followers.append(PlainAverage(parameters, first_step, recipe.swa_every))
    return followers


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Compute in the precision of a recipe."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
