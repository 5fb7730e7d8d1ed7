"""``gridsearch skip``: a cell is left out on purpose, everything says so, nothing is claimed of it; the way back."""

import json
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from rich.console import Console

from gridsearch.encoders.load import describe
from gridsearch.planning.plan import Plan
from gridsearch.planning.planner import make_plan
from gridsearch.space.space import parse_space
from gridsearch.stage import Stage
from gridsearch.study.study import Study
from gridsearch.tasks.target import target_of
from gridsearch.tasks.taskfile import load_task
from gridsearch.training.materials import Materials
from gridsearch.trial import Failure
from reports.page import write_page
from runners.cli import main
from runners.driver import Settings, drive
from runners.progress.live import Progress
from runners.schedules.search import OptunaSearch
from runners.schedules.search_settings import Search
from tests.runners.attending.test_stop import Watched
from tests.runners.driving import sweep
from tests.runners.pretending import Pretending
from tests.runners.staging import OWN_SEEDS, rows
from tests.runners.staging import plan_of as staged
from tests.runners.test_optimize import CARD, FORTY, About
from tests.runners.test_stages_faults import STEPS

STUDY = Study(Path("study"))
Told = Callable[..., str]
WHY = ("--why", "it takes too long")


@pytest.fixture
def plan(project: Path, encoder_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    monkeypatch.setattr("tests.runners.pretending.N_DEV", len(load_task(Path("task.toml")).dev))
    return plan_of(encoder_folder)


def plan_of(encoder_folder: Path, seeds: str = "[0, 1]") -> Plan:
    task = load_task(Path("task.toml"))
    text = Path("question.toml").read_text() + f"[design]\nseeds = {seeds}\n"
    asked = parse_space(text, "question").with_fixed({"encoder": str(encoder_folder)})
    return make_plan(asked, task, partial(describe, corpus=task.corpus))


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def tell(command: str, *words: str) -> str:
        capsys.readouterr()
        code = main([command, "study", *words])
        printed = capsys.readouterr()
        return f"{code}: {printed.out}{printed.err}"

    return tell


def skip_at_once(told: Told) -> None:
    """Leave cell 8 out of a study that is planned, before any of it has run."""
    assert told("skip", "--cell", "8", *WHY).startswith("0: cell 8 is left out on purpose: it takes too long\n")


def planned(plan: Plan) -> None:
    """Plan a study, and run nothing of it."""
    with STUDY.driven() as ledger:
        ledger.adopt(plan, {})


def begun(runner: Pretending) -> set[str]:
    return {trial.id for trial in runner.begun}


def trials_of(plan: Plan, index: int) -> set[str]:
    return {trial.id for trial in plan.cells[index - 1].trials}


@pytest.mark.slow  # 3 s
def test_left_out_before_it_runs_it_is_none_of_what_is_planned(plan: Plan, told: Told) -> None:
    planned(plan)
    skip_at_once(told)
    runner = Pretending()
    certificate = "complete: 14 planned, 14 finished, 0 failed, 0 pending, 2 skipped on purpose"
    assert str(sweep(plan, STUDY, runner).coverage) == certificate
    assert not begun(runner) & trials_of(plan, 8)
    line = "cell 8 is left out on purpose: it takes too long\n"
    assert told("verify") == f"0: {line}{certificate}\n"
    assert line in told("status")
    page = write_page(STUDY, "en")
    text = (STUDY.folder / "page.md").read_text()
    assert "cell 8 on purpose: it takes too long" in text
    assert "Only 7 of 8 cells have a result." in text
    (row,) = [line for line in text.splitlines() if line.startswith("| 8 ")]
    assert "skipped" in row
    assert "Cells left out" in text
    assert "page" in page
    write_page(STUDY, "zh")
    assert "有意跳过" in (STUDY.folder / "page.md").read_text()
    assert told("report", "--format", "json").startswith("0: ")
    numbers = json.loads((STUDY.folder / "page.json").read_text())
    assert numbers["skipped"] == [{"index": 8, "why": "it takes too long"}]
    assert numbers["effects"], "the effects are told without it"
    again = Pretending()
    assert sweep(plan, STUDY, again).coverage.complete
    assert again.begun == [], "the next start leaves it out as well"


def test_the_way_back(plan: Plan, told: Told) -> None:
    planned(plan)
    skip_at_once(told)
    sweep(plan, STUDY, Pretending())
    assert told("skip", "--cell", "8", "--undo").startswith("0: cell 8 is taken back in\n")
    assert told("verify") == "1: incomplete: 16 planned, 14 finished, 0 failed, 2 pending\n"
    runner = Pretending()
    assert sweep(plan, STUDY, runner).coverage.complete
    assert begun(runner) == trials_of(plan, 8)
    answer = told("skip", "--cell", "8", "--undo")
    assert answer == "2: gridsearch skip: cell 8 is not left out: there is nothing to undo\n"


@pytest.mark.slow  # 1.8 s
def test_what_has_run_stays_and_what_failed_may_be_left_out(plan: Plan, told: Told) -> None:
    failed = plan.cells[3].trials[0].id
    sweep(plan, STUDY, Pretending(failures={failed: [Failure("code_error", "no such kernel")]}))
    answer = told("skip", "--cell", "3", *WHY)
    assert answer == (
        "2: gridsearch skip: cell 3 has run already, and its result stays: nothing is left to leave out\n"
    )
    assert told("verify").startswith("1: ")
    assert told("skip", "--cell", "4", "--why", "the kernel is not there").startswith("0: ")
    assert told("verify") == (
        "0: cell 4 is left out on purpose: the kernel is not there\n"
        "complete: 15 planned, 15 finished, 0 failed, 0 pending, 1 skipped on purpose\n"
    ), "the seed that has run stays, and is counted"
    write_page(STUDY, "en")
    assert "left out since" in (STUDY.folder / "page.md").read_text(), "the attempt that failed is still told"


def test_wrong_requests_change_nothing(plan: Plan, told: Told) -> None:
    planned(plan)
    for words, sentence in (
        (("--cell", "9", *WHY), "the table has no row '9'"),
        (("--cell", "1"), "skip needs a reason"),
        (("--cell", "1", "--why", " \n"), "skip needs a reason"),
        (("--cell", "1", "--undo", *WHY), "it goes without --why"),
        (("--cell", "1", "--cell", "1", *WHY), "--cell names a cell twice"),
        (("--cell", "1", "--cell", "2", "--undo"), "cell 1 is not left out"),
        ([word for n in range(1, 9) for word in ("--cell", str(n))] + list(WHY), "keep one cell at least"),
    ):
        answer = told("skip", *words)
        assert answer.startswith("2: "), words
        assert sentence in answer
    with STUDY.open() as ledger:
        assert ledger.attended.skips() == ()


def test_cells_that_share_trials(project: Path, encoder_folder: Path, told: Told) -> None:
    """Where the knobs of two cells come to the same, what the other one needs is run."""
    text = Path("question.toml").read_text().replace("frozen_layers = [0, 1]", "adversarial = ['none', 'fgm']")
    text = text.replace("warmup_proportion", "adversarial_epsilon") + '[design]\non_dead = "collapse"\n'
    task = load_task(Path("task.toml"))
    asked = parse_space(text.replace("[0.0, 0.2]", "[0.5, 1.0]"), "q").with_fixed({"encoder": str(encoder_folder)})
    plan = make_plan(asked, task, partial(describe, corpus=task.corpus))
    planned(plan)
    assert trials_of(plan, 1) == trials_of(plan, 2)
    answer = told("skip", "--cell", "1", *WHY)
    assert "cell 1 shares what is left of it with cell 2, which needs it" in answer
    assert told("skip", "--cell", "1", "--cell", "2", *WHY).startswith("0: cells 1, 2 are left out on purpose")
    runner = Pretending()
    assert str(sweep(plan, STUDY, runner).coverage).endswith("0 pending, 1 skipped on purpose")
    assert not begun(runner) & trials_of(plan, 1)


def test_a_study_that_grows_leaves_the_same_cells_out(
    project: Path, encoder_folder: Path, plan: Plan, told: Told
) -> None:
    planned(plan)
    skip_at_once(told)
    sweep(plan, STUDY, Pretending())
    question = Path("question.toml")
    question.write_text(question.read_text().replace("[factors]", "[factors]\nweight_decay = [0.0, 0.01]"))
    grown = plan_of(encoder_folder, "[0, 1, 2]")
    runner = Pretending()
    coverage = sweep(grown, STUDY, runner).coverage
    kept = next(cell for cell in grown.cells if trials_of(plan, 8) <= {trial.id for trial in cell.trials})
    assert not begun(runner) & {trial.id for trial in kept.trials}, "its new seed, too"
    assert str(coverage) == "complete: 45 planned, 45 finished, 0 failed, 0 pending, 3 skipped on purpose"
    with STUDY.open() as ledger:
        assert [skip.position for skip in ledger.attended.skips()] == [kept.index]


def test_the_driver_at_work_leaves_it_out(plan: Plan, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked from another process, whose wish the driver takes with its next heartbeat."""
    monkeypatch.setattr("runners.driver.HEARTBEAT_SECONDS", 0.02)
    answers: list[str] = []
    asked: list[int] = []

    def ask() -> None:
        query = "SELECT position, group_concat(state, ' ') FROM cell_trials JOIN trial_states USING (trial) GROUP BY 1"
        states = {position: " ".join(sorted(found.split())) for position, found in rows(query)}
        for wanted in ("planned running", "planned planned"):
            asked.append(next(position for position, found in states.items() if found == wanted))
            answers.append(from_another_thread(lambda: told("skip", "--cell", str(asked[-1]), *WHY)))

    runner = Watched(ask)
    coverage = sweep(plan, STUDY, runner).coverage
    running, waiting = asked
    for position, answer in zip(asked, answers, strict=True):
        assert answer.startswith(f"0: cell {position} is left out on purpose: it takes too long\n")
    assert len(begun(runner) & trials_of(plan, running)) == 1, "what ran went on to its end, its other seed waited"
    assert not begun(runner) & trials_of(plan, waiting)
    assert str(coverage) == "complete: 13 planned, 13 finished, 0 failed, 0 pending, 3 skipped on purpose"
    assert not list(STUDY.folder.glob("skip-*"))


def test_the_driver_at_work_says_why_it_does_not(plan: Plan, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runners.driver.HEARTBEAT_SECONDS", 0.02)
    answers: list[str] = []

    def ask() -> None:
        words = [word for number in range(1, 9) for word in ("--cell", str(number))]
        answers.append(from_another_thread(lambda: told("skip", *words, *WHY)))

    runner = Watched(ask, after=16)
    assert sweep(plan, STUDY, runner).coverage.skipped == 0
    assert answers[0].startswith("2: gridsearch skip: cell ")
    assert "nothing is left to leave out" in answers[0] or "nothing of it is left" in answers[0]
    assert not list(STUDY.folder.glob("skip-*"))


def test_a_ledger_of_the_schema_before_is_read_and_brought_up_to_date(plan: Plan, told: Told) -> None:
    planned(plan)
    with sqlite3.connect(STUDY.ledger_path) as old:
        old.executescript(
            "DROP VIEW stage_states; DROP VIEW trial_states; DROP TABLE skipped; DROP INDEX cells_of_trial;"
            "DROP INDEX trials_of_encoder;"
            "CREATE VIEW trial_states AS SELECT id AS trial, 'planned' AS state FROM trials;"
            "CREATE VIEW stage_states AS SELECT id AS stage, 'planned' AS state FROM stages; PRAGMA user_version = 6"
        )
    old.close()
    assert told("verify") == "1: incomplete: 16 planned, 0 finished, 0 failed, 16 pending\n"
    skip_at_once(told)
    assert "incomplete: 14 planned, 0 finished, 0 failed, 14 pending, 2 skipped on purpose" in told("verify")


def test_a_search_goes_on_without_a_seed_that_is_left_out(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("runners.driver.HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr("runners.driver.measure_yardstick", lambda *_: None)
    monkeypatch.setattr("runners.schedules.search.materials_on_demand", lambda *_: Materials({CARD.identity: None}, {}))
    answers: list[str] = []
    runner = Watched(lambda: answers.append(from_another_thread(lambda: told("skip", "--cell", "1", *WHY))))
    asked = About(parse_space(FORTY + "[design]\nseeds = [0, 1]\n", "test"))
    schedule = OptunaSearch(asked, STUDY, Search(n_trials=8), {})
    progress = Progress(target_of("accuracy"), {}, Console(quiet=True))
    coverage = drive(schedule, STUDY, runner, Settings(), provenance=dict, progress=progress).coverage
    assert answers[0].startswith("0: cell 1 is left out on purpose")
    assert str(coverage) == "complete: 7 planned, 7 finished, 0 failed, 0 pending, 1 skipped on purpose"


def test_a_pretraining_that_no_trial_needs_is_not_made(project: Path, encoder_folder: Path, told: Told) -> None:
    plan = staged(encoder_folder, STEPS, OWN_SEEDS, seeds="[0]")
    planned(plan)
    assert told("skip", "--cell", "2", *WHY).startswith("0: ")
    runner = Pretending()
    certificate = (
        "complete: 1 planned, 1 finished, 0 failed, 0 pending, 1 skipped on purpose; 1 pretraining, 1 finished"
    )
    assert str(sweep(plan, STUDY, runner).coverage) == certificate
    assert [work.id for work in runner.order if isinstance(work, Stage)] == [plan.cells[0].trials[0].encoder]


def from_another_thread(do: Callable[[], str]) -> str:
    """Do it as somebody else would: the driver's own thread may not hold its ledger meanwhile."""
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(do()))
    thread.start()
    thread.join()
    return found[0]
