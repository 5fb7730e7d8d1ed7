"""A small task and a made-up encoder card: contracts are about names and records, so nothing is trained."""

import pytest

from gridsearch.encoders.card import EncoderCard
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.tasks.task import Split, Task


@pytest.fixture
def task() -> Task:
    texts = tuple(f"text {number}" for number in range(320))
    labels = tuple(number % 2 for number in range(320))
    return Task("small", "single", "accuracy", ("no", "yes"), Split(texts, labels), Split(texts[:20], labels[:20]))


@pytest.fixture
def card() -> EncoderCard:
    return EncoderCard("tiny", "files-0123456789abcdef", "bert", 12, True, 512, dropout=0.1)


@pytest.fixture
def plan_of(task: Task, card: EncoderCard):
    def plan(text: str, name: str = "small") -> Plan:
        return make_plan(parse_space(text, name), task, lambda encoder: card)

    return plan
