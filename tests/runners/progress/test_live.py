"""What is shown of progress: one line of plain text, several on a terminal of 80 columns."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from gridsearch.recipe.recipe import Recipe
from gridsearch.stage import LogPoint
from gridsearch.tasks.target import Target, target_of
from gridsearch.trial import Epoch, Failure, Outcome, PartOutcome, Trial
from runners.progress.live import Progress
from runners.progress.outlook import Outlook
from runners.progress.tally import Tally
from runners.progress.time_left import STEP, Kind, Work
from runners.progress.words import best_text

WORKS = {f"trial{number}": Work(Kind("a"), 2) for number in range(6)}


def outlook(**changes: object) -> Outlook:
    return replace(Outlook(WORKS, {}, (), n_planned=6, n_done=0), **changes)  # type: ignore[arg-type]


def outcome(value: float) -> Outcome:
    epochs = (Epoch(1, 0.5, 1.0, 0.1, {"task": {"f1_macro": value}}),)
    return Outcome(epochs, 1, {"task": PartOutcome({"f1_macro": value}, np.zeros((2, 2), dtype=np.float32))}, 1.0, 1)


def shown(is_terminal: bool = False) -> tuple[Progress, io.StringIO]:
    text = io.StringIO()
    console = Console(file=text, width=80, force_terminal=is_terminal, highlight=False)
    return Progress(target_of("f1_macro"), {"trial0": "cell 3"}, console), text


class Clock:
    """Moments that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_plain_line_has_the_time_of_day_and_all_that_matters() -> None:
    progress, text = shown()
    progress.begin(outlook(), (0.5, "trial0"))
    progress.started("trial1")
    progress.started("trial2")
    progress.finished("trial1", outcome(0.71234))
    progress.failed("trial2", Failure("code_error", "why"), final=True)
    progress.close()
    *_, last = text.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 1/6 done, 0 running, 1 failed, best dev f1_macro 0\.7123 \(trial1\), .+", last)
    assert re.match(r"\d\d:\d\d:\d\d trial2 failed \(code_error\): why\n", text.getvalue())


def test_a_worker_that_dies_is_at_work_no_more_and_its_trial_waits() -> None:
    tally = Tally(Clock())
    tally.begin(outlook())
    for name in ("trial0", "trial1"):
        tally.started(name)
    tally.failed("trial0", final=False)
    assert (tally.n_running, tally.n_failed, tally.is_over) == (1, 0, False)
    tally.started("trial0")
    assert tally.n_running == 2


def test_workers_that_pretrain_are_at_work() -> None:
    progress, _ = shown()
    works = {"stage": Work(Kind("p", STEP), 100), **WORKS}
    progress.begin(outlook(works=works, stages=frozenset({"stage"})), None)
    progress.started("stage")
    assert progress.line().startswith("0/6 done, 1 pretraining, pretraining begins, ")
    progress.stage_logged("stage", LogPoint(40, 1.0, 2.5, 1e-4, 4.0))
    assert progress.line().endswith(", pretraining step 40/100, loss 2.500, time left not known yet")
    progress.started("trial0")
    assert progress.line().startswith("0/6 done, 1 running, 1 pretraining, ")
    progress.stage_ended("stage")
    assert progress.line().startswith("0/6 done, 1 running, ")


def test_what_is_spared_makes_the_rest_no_quicker() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.begin(outlook())
    tally.started("trial0")
    for number in (1, 2):
        clock.now += 10
        tally.epoch("trial0", number)
    tally.ended("trial0")
    before = tally.time_left()
    for name in ("trial1", "trial2"):
        tally.started(name)
        tally.pruned(name)
    after = tally.time_left()
    assert before is not None
    assert after is not None
    assert round(after.seconds / before.seconds, 2) == round(3 / 5, 2)
    assert (tally.n_done, tally.n_pruned) == (3, 2)


@pytest.mark.parametrize(("hours", "seconds"), [(100.0, 5 * 20.0), (50.0, 50.0), (0.0, 0.0)])
def test_a_search_ends_with_its_hours_or_with_its_trials(hours: float, seconds: float) -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.begin(Outlook({}, {}, (), 0, 0).proposing(6, n_epochs=2), until=20 + hours)
    tally.propose([a_trial()])
    tally.started("id")
    for number in (1, 2):
        clock.now += 10
        tally.epoch("id", number)
    tally.ended("id")
    left = tally.time_left()
    assert left is not None
    assert left.seconds == pytest.approx(seconds, rel=0.01)


def test_a_search_of_hours_alone_goes_on_until_they_are_over() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.begin(Outlook({}, {}, (), 0, 0), until=3600)
    tally.propose([a_trial()])
    tally.started("id")
    clock.now = 600
    left = tally.time_left()
    assert left is not None
    assert left.seconds == 3000
    assert tally.n_planned == 1


def a_trial() -> Trial:
    return Trial("id", Recipe(epochs=2), 0, 0, "task", "encoder")


def test_a_terminal_of_80_columns_has_room_for_it() -> None:
    progress, text = shown(is_terminal=True)
    works = {f"trial{number}": Work(Kind("a"), 20) for number in range(1024)}
    progress.begin(outlook(works=works, n_planned=1024, n_done=0), None)
    for number in range(12):
        progress.started(f"trial{number}")
        progress.epoch(f"trial{number}", 1)
    progress.finished("trial0", outcome(0.1))
    progress.failed("trial1", Failure("code_error", "why"), final=True)
    console = Console(file=io.StringIO(), width=80)
    console.print(progress.drawn())
    progress.close()
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert lines[0].startswith("1/1024 ")
    assert lines[0].endswith(" 10 running, 1 failed")
    assert lines[1] == "best dev f1_macro 0.1000 (cell 3)"
    assert "\n" in text.getvalue()


def test_the_best_is_told_as_the_table_has_it() -> None:
    target = Target((("genre", "f1_macro"), ("follows", "accuracy")))
    assert best_text(target, 0.56789, "cell 2, seed 1") == "best dev mean f1_macro and accuracy 0.5679 (cell 2, seed 1)"
