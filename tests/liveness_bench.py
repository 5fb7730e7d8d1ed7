"""A small encoder on a small task, on which recipes are computed once: where knobs are shown to act, or to be dead."""

from functools import cache
from pathlib import Path
from typing import Any

from gridsearch.encoders.checkpoint.tokenizer import build_tokenizer
from gridsearch.encoders.files import read_card
from gridsearch.errors import RequestError
from gridsearch.planning.planner import trial_facts
from gridsearch.recipe.contradictions import refuse_contradictions
from gridsearch.recipe.recipe import Recipe
from gridsearch.recipe.resolve import dead_knobs, resolve
from gridsearch.tasks.encode import EncodedTask, encode_task
from gridsearch.tasks.parts.joint_task import AnyTask
from gridsearch.training.finetune import finetune
from gridsearch.trial import make_trial
from tests.fixtures_core import ON_CPU, encoder_in, numbers_of, reads, recipe_of


class Bench:
    """A family's encoder on a task, computing recipes once."""

    def __init__(self, folder: Path, task: AnyTask) -> None:
        self.encoder = encoder_in(folder)
        self.tokenizer = build_tokenizer(self.encoder.tokenizer)
        self.facts = trial_facts(read_card(str(folder), folder), task)
        self.task = task
        self.data = cache(self._data)
        self.numbers = cache(self._numbers)

    def _data(self, max_length: int, *orders: Any) -> EncodedTask:
        return encode_task(self.task, self.tokenizer, max_length, *orders)

    def _numbers(self, recipe: Recipe) -> list[Any]:
        trial = make_trial(recipe, seed=0, task="a task", encoder=self.encoder.identity)
        return numbers_of(finetune(trial, self.data(*reads(recipe)), self.encoder, ON_CPU))

    def resolved(self, **knobs: Any) -> Recipe:
        return resolve(recipe_of(**{"epochs": 1, **knobs}), self.facts)

    def refusal(self, recipe: Recipe) -> str:
        """Return why the plan refuses a recipe, or nothing."""
        try:
            refuse_contradictions(recipe, self.facts)
        except RequestError as error:
            return str(error)
        return "; ".join(dead_knobs(recipe, self.facts).values())
