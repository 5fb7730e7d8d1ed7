"""Studies whose HTML pages are looked at, by a parser and by a browser."""

from pathlib import Path

import numpy as np

import search_spaces
from gridsearch.study import Study
from gridsearch.trial import Failure
from reports.html import html_text
from reports.page import make_page
from reports.records import StudyRows
from reports.rows import read_study
from tests.reports.conftest import SOURCES, Writer, outcome, small_plan

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


def sixty_four_cells(study: Study) -> Study:
    """The shipped question with results made by hand: one run collapsed, one failed for good."""
    space = Path(search_spaces.__path__[0], "finetune64.toml").read_text(encoding="utf-8")
    # Warm-up must be able to act on four rows.
    writer = Writer(study, small_plan(space.replace("batch_size = 32", "batch_size = 1")))
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
            writer.finish(cell, outcome(0.5, 0.5, collapsed="every dev row gets the same label"))
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
        writer.finish(cell, outcome(0.5 + cell / 100, 0.5, collapsed=message))
    return study


def _toml(text: str) -> str:
    """Spell a text as TOML does."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
