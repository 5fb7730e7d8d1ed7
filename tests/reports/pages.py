"""Studies whose pages are looked at, by several tests."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

import search_spaces
from gridsearch.planning.plan import Plan
from gridsearch.study.study import Study
from gridsearch.trial import Failure
from reports.formats.html import html_text
from reports.importing.imported import store
from reports.importing.tables import read_table
from reports.page import make_page
from reports.study.read import read_study
from reports.study.view import StudyRows
from tests.reports.conftest import SMALL_SPACE, SOURCES, Writer, outcome, small_plan

HOSTILE = (
    '<img src=x onerror="window.hit=1">',
    "</script><script>window.hit=1</script>",
    "</td></tr></table><b>",
    "[x](javascript:window.hit=1)",
    "![x](https://example.com/x.png)",
    "&lt;b&gt; &amp; \"double\" 'single'",
    "a|b `c` ``d`` \\| *e* _f_ ~~g~~",
    "</details> <details> <!-- -->",
    "冻结“六层”《×》",
)


def page_html(study: StudyRows) -> str:
    """The page of rows that have been read."""
    return html_text(study, make_page(study).sections)


def read(study: Study) -> StudyRows:
    with study.open() as ledger:
        return read_study(ledger)


def import_table(path: Path, response: str | None, study: Study, inert: Sequence[str] = ()) -> None:
    """Make a study of a published table's rows."""
    store(read_table(path, response), study, inert)


def small_study(study: Study) -> Writer:
    """Four cells: one did not learn, one that failed at first."""
    writer = Writer(study, small_plan())
    writer.yardstick(0.7, 0.71)
    writer.finish(1, outcome(0.80, 0.79))
    writer.finish(2, outcome(0.50, 0.50, seconds=0.9, not_learned="every dev row gets the same label"))
    writer.finish(3, outcome(0.85, 0.83, chosen=1))
    failure = Failure("out_of_memory", "MemoryError: no `room` | left")
    writer.run(lambda ledger, attempt: ledger.fail(attempt, failure, final=False), 4)
    writer.finish(4, outcome(0.84, 0.86, seconds=1.0))
    return writer


def small_page(study: Study) -> str:
    """The Markdown of the small study's page, without knobs that later versions add."""
    kept = ("epochs", "learning_rate", "bert_adam", "frozen_layers", "selection")
    rows = read(study)
    cells = tuple(dataclasses.replace(cell, recipe={name: cell.recipe[name] for name in kept}) for cell in rows.cells)
    return make_page(dataclasses.replace(rows, cells=cells)).format()


def golden_page(path: Path, plan: Plan) -> str:
    """A page as it is written out in full in a file, with the ids of this plan."""
    expected = path.read_text(encoding="utf-8")
    for number, cell in enumerate(plan.cells, start=1):
        expected = expected.replace(f"<trial-{number}>", cell.trials[0].short_id)
    return expected.replace("<fingerprint-of-the-task-32-digits>", plan.task.fingerprint)


THREE = SMALL_SPACE + "[factors.reinit_layers]\nlevels = [0, 1]\n[design]\nseeds = [0, 1, 2, 3]\n"


def filled(
    study: Study, value: Callable[[Mapping[str, str]], float], space: str = THREE, metric: str = "accuracy"
) -> StudyRows:
    """Finish every trial with a value of its cell's levels plus noise of sd 0.002; on test the same."""
    plan = small_plan(space, metric=metric)
    writer = Writer(study, plan)
    noise = np.random.default_rng(3).normal(0, 0.002, (len(plan.cells), 9))
    done: set[str] = set()
    for cell in plan.cells:
        for replicate in range(len(cell.trials)):
            result = value(cell.levels) + float(noise[cell.index - 1, replicate])
            if cell.trials[replicate].id not in done:
                writer.finish(cell.index, outcome(result, result, metric=metric), replicate)
                done.add(cell.trials[replicate].id)
    return read(study)


def sixty_four_cells(study: Study) -> Study:
    """The shipped question with results made by hand: one run did not learn, one failed for good."""
    space = Path(search_spaces.__path__[0], "finetune64.toml").read_text(encoding="utf-8")
    # Warm-up must be able to act on four rows, whose lengths nobody counts.
    asked = space.replace("batch_size = 32", "batch_size = 1").replace('"p80"', "32")
    writer = Writer(study, small_plan(asked))
    writer.yardstick(0.71, 0.72)
    noise = np.random.default_rng(64).normal(0, 0.004, (64, 2))
    for cell in range(1, 65):
        if cell == 23:
            failure = Failure("code_error", "ValueError: `x` | <b>must</b> be 1")
            writer.run(lambda ledger, attempt, failure=failure: ledger.fail(attempt, failure, final=True), cell)  # type: ignore[misc]
            continue
        bits = [(cell - 1) >> place & 1 for place in range(6)]
        dev, test = 0.93 - 0.01 * bits[2] - 0.004 * bits[1] + noise[cell - 1]
        if cell == 12:
            writer.finish(cell, outcome(0.5, 0.5, not_learned="every dev row gets the same label"))
        else:
            writer.finish(cell, outcome(round(float(dev), 4), round(float(test), 4)))
    return study


def hostile_study(folder: Path) -> Study:
    """A study in which every text that a user or a library can write is hostile."""
    levels = "\n".join(f"{_toml(label)} = {{ epochs = {number} }}" for number, label in enumerate(HOSTILE, start=1))
    space = (
        f"title = {_toml(HOSTILE[0])}\n[factors.{_toml('epochs')}]\nlabel = {_toml(HOSTILE[0] + HOSTILE[6])}\n"
        f"baseline = {_toml(HOSTILE[0])}\n[factors.epochs.levels]\n{levels}\n"
        f'[[rules]]\nskip = "epochs > 100"\nwhy = {_toml(HOSTILE[0])}\n'
    )
    study = Study(folder / "a `study` & <b>'more'")
    writer = Writer(study, small_plan(space), {**SOURCES, "space": HOSTILE[0], "task": HOSTILE[1]})
    for cell, message in enumerate(HOSTILE, start=1):
        failure = Failure("bad_data", f"{message}\n<details>\n<summary>{message}</summary>\n{message}")
        writer.run(lambda ledger, attempt, failure=failure: ledger.fail(attempt, failure, final=False), cell)  # type: ignore[misc]
        writer.finish(cell, outcome(0.5 + cell / 100, 0.5, not_learned=message))
    return study


def _toml(text: str) -> str:
    """Spell a text as TOML does."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
