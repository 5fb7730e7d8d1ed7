"""Does every knob act on this device? The cases of ``tests/liveness_cases.py``, each a short trial.

On a card a trial need not repeat to the last bit, so two trials of each baseline say how much is noise: a knob acts
when it moves the numbers ten times as far.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bench.gpu_blocks.asked import Asked
from bench.gpu_blocks.materials import whole_task
from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.files import read_card
from gridsearch.encoders.load import EncoderWeights, read_weights
from gridsearch.encoders.vocabulary import build_vocabulary
from gridsearch.planning.planner import trial_facts
from gridsearch.recipe.augmentation_knobs import augmentation_of
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.resolve import resolve
from gridsearch.recipe.trial_facts import TrialFacts
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.task import Split, Task
from gridsearch.training.execution import Execution
from gridsearch.training.finetune import finetune
from gridsearch.trial import Outcome, make_trial
from tests.fixtures_core import family_config, family_settings, recipe_of, save_encoder
from tests.liveness_cases import LIVE, NOT_HERE, pairs_of

ABOVE_NOISE = 10
N_OF_EACH_LABEL = (40, 32, 24)
SECONDS_TO_SPARE = 3.0


def answer(asked: Asked) -> None:
    """Run the cases on a BERT and, where time is left, on a DeBERTa; one that fails leaves the others alone."""
    task = pairs_of(small_task(whole_task(asked)))
    cases = [(knob, *case) for knob, of_knob in LIVE.items() for case in of_knob]
    cases = cases[:: asked.size(1, 9)]
    for family in asked.size(("bert", "deberta-v2"), ("bert",)):
        on = Trials(asked, family, task)
        dead, failed, n_tried = [], [], 0
        for knob, others, value in cases:
            if asked.seconds_left() < SECONDS_TO_SPARE:
                break
            if family in NOT_HERE.get((knob, value), ((), ""))[0]:
                continue
            n_tried += 1
            name = f"{knob} = {value}" + (f" with {dict(others)}" if others else "")
            try:
                distance, noise = on.move(others, {**others, knob: value})
            except Exception as error:  # whatever a device may raise: the next case has its chance
                failed.append(f"{name}: {type(error).__name__}: {str(error).splitlines()[0][:200]}")
                asked.add("trouble", family=family, case=name, error=failed[-1])
                continue
            if not distance > ABOVE_NOISE * noise:
                dead.append(name)
                asked.add("trouble", family=family, case=name, distance=distance, noise=noise)
        asked.tell(**{family: {"cases": n_tried, "act": n_tried - len(dead) - len(failed)}})
        asked.tell(**{f"{family}_dead": dead, f"{family}_failed": failed, f"{family}_noise": on.largest_noise})


def small_task(whole: Task) -> Task:
    """Take three unequal labels, and a dozen rows of each for dev."""

    def rows_of(split: Split, counts: tuple[int, ...]) -> Split:
        labels = np.asarray(split.labels)
        rows = [row for label, count in enumerate(counts) for row in np.flatnonzero(labels == label)[:count]]
        return Split(tuple(split.texts[row] for row in rows), tuple(int(labels[row]) for row in rows))

    train, dev = rows_of(whole.train, N_OF_EACH_LABEL), rows_of(whole.dev, (10, 10, 10))
    return replace(
        whole, kind="single", metric="f1_macro", label_names=whole.label_names[:3], train=train, dev=dev, test=None
    )


@dataclass
class Trials:
    """Short trials of a tiny encoder of one family."""

    asked: Asked
    family: str
    task: Task
    largest_noise: float = 0.0

    def __post_init__(self) -> None:
        folder = self.asked.scratch / f"tiny-{self.family}"
        self.encoder = make_encoder(self.family, self.task, folder)
        self.tokenizer = build_tokenizer(self.encoder.tokenizer)
        self.facts: TrialFacts = trial_facts(read_card(self.family, folder), self.task)
        self._baseline = cache(self._twice)
        self._data = cache(lambda *asked: encode_task(self.task, self.tokenizer, *asked))

    def move(self, others: Mapping[str, Any], knobs: Mapping[str, Any]) -> tuple[float, float]:
        """Return how far the knobs move the numbers of a trial with the others alone, and how far chance does."""
        one, again = self._baseline(self._resolved(others))
        noise = distance(one, again)
        self.largest_noise = max(self.largest_noise, noise)
        return distance(one, self._run(self._resolved(knobs))), noise

    def _resolved(self, knobs: Mapping[str, Any]) -> Recipe:
        return resolve(recipe_of(**{"epochs": 1, **knobs}), self.facts)

    def _twice(self, recipe: Recipe) -> tuple[Outcome, Outcome]:
        return self._run(recipe), self._run(recipe)

    def _run(self, recipe: Recipe) -> Outcome:
        trial = make_trial(recipe, seed=0, task="a task", encoder=self.encoder.identity)
        orders = recipe.prediction_order, recipe.pair_swap
        data: EncodedTask = self._data(recipe.max_length, *orders, augmentation_of(recipe))
        return finetune(trial, data, self.encoder, Execution(device=self.asked.device.type))


def make_encoder(family: str, task: Task, folder: Path) -> EncoderWeights:
    """Make an encoder of 3 layers, 32 wide, as the tests do."""
    import torch
    from transformers import AutoModel

    vocabulary = build_vocabulary(task.corpus, 800)
    torch.manual_seed(20)
    model = AutoModel.from_config(family_config(family, vocab_size=len(vocabulary), **family_settings()[family]))
    save_encoder(model, folder, vocabulary, tokenizer_class="BertTokenizer")
    return read_weights(folder, read_card(family, folder).identity)


def distance(one: Outcome, other: Outcome) -> float:
    """Return the largest difference of the logits and losses of two trials; infinite where their epochs differ."""
    if one.chosen_epoch != other.chosen_epoch or len(one.epochs) != len(other.epochs):
        return math.inf
    logits = np.abs(one.parts["task"].dev_logits - other.parts["task"].dev_logits).max()
    losses = max(abs(a.train_loss - b.train_loss) for a, b in zip(one.epochs, other.epochs, strict=True))
    return max(float(logits), losses)
