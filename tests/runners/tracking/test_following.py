"""What a tracker is told while trials run is what an export of the study tells in the end, and nothing twice."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from gridsearch.errors import RequestError
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.trial import Epoch, Failure
from reports.study.read import read_study
from runners.cli import main
from runners.progress.live import Progress
from runners.tracking import follower
from runners.tracking.chosen import TRACKERS, tracker_named
from runners.tracking.follower import Follower
from runners.tracking.runs import Group, Run, groups_of, groups_with_news
from runners.tracking.sent import Sent
from runners.tracking.tensorboard_events import TensorBoard
from runners.tracking.tracker import replay
from tests.reports.conftest import Writer, outcome, small_plan
from tests.runners.driving import sweep
from tests.runners.exporting.events import hparams_of, scalars_of
from tests.runners.exporting.studies import SPACE
from tests.runners.pretending import Pretending

Scalars = dict[str, list[tuple[int, float]]]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tmp_path)
    return Study(Path("mine"))


def runs_in(folder: Path) -> dict[str, tuple[Scalars, dict[str, object]]]:
    """Return numbers and settings of each run, but for the seconds, which a run that is told of late has others of."""
    folders = [path.parent for path in folder.rglob("events.*")]
    assert len(folders) == len(set(folders)), "an event file a run"
    return {str(one.relative_to(folder)): (scalars_of(one), hparams_of(one)) for one in folders}


def events_of(study: Study) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in study.events_folder.rglob("events.*")}


def exported(study: Study) -> dict[str, tuple[Scalars, dict[str, object]]]:
    folder = Path("exported")
    shutil.rmtree(folder, ignore_errors=True)
    with study.open() as ledger:
        replay(TensorBoard(folder), groups_of(read_study(ledger), ledger))
    return runs_in(folder)


def test_a_sweep_that_is_tracked(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    plan = small_plan(SPACE)
    progress = Progress(plan.task.target, {}, Console())
    result = sweep(plan, study, Pretending(n_workers=3), progress=progress, tracker=tracker_named("tensorboard")(study))
    assert result.exit_code == 0
    assert "tracked by tensorboard: mine/tensorboard" in capsys.readouterr().out
    found = runs_in(study.events_folder)
    assert len(found) == 6
    assert found == exported(study)
    before = events_of(study)
    assert sweep(plan, study, Pretending(), tracker=tracker_named("tensorboard")(study)).exit_code == 0
    assert events_of(study) == before, "nothing is told twice"


def test_a_finished_study_is_told_as_a_whole(study: Study) -> None:
    plan = small_plan(SPACE)
    sweep(plan, study, Pretending())
    sweep(plan, study, Pretending(), tracker=tracker_named("tensorboard")(study))
    assert runs_in(study.events_folder) == exported(study)


def epoch(number: int, dev: float) -> Epoch:
    return Epoch(number, 0.5, 1.0, 0.1, {"task": {"accuracy": dev}})


class Lived:
    """A study in which a trial goes on step by step, and what a driver tells a tracker of it."""

    def __init__(self, study: Study, tracker: TensorBoard | None = None) -> None:
        self.study, self.attempt = study, 0
        self.writer = Writer(study, small_plan(SPACE))
        self.first = self.writer.plan.cells[0].trials[0]
        self.tracker = tracker or TensorBoard(study.events_folder)
        self.follow()

    def follow(self) -> None:
        """Begin to follow the study, as a driver does that has just started."""
        self.tracker.close()
        self.follower = Follower(self.tracker, Sent(self.study.tracked_path("tensorboard"), self.tracker.place))

    def begin(self) -> None:
        def hold(ledger: Ledger, attempt: int) -> None:
            self.attempt = attempt

        self.writer.run(hold, 1)

    def write(self, act: Callable[[Ledger, int], None]) -> None:
        with Ledger(self.study.ledger_path) as ledger:
            act(ledger, self.attempt)

    def epoch(self, number: int, dev: float) -> None:
        self.write(lambda ledger, attempt: ledger.record_epoch(attempt, epoch(number, dev)))

    def finish(self, dev: float) -> None:
        self.write(lambda ledger, attempt: ledger.finish(attempt, outcome(dev, dev, chosen=2)))

    def told(self) -> Scalars:
        """Tell what is new; return what there is of the trial then."""
        with self.study.open() as ledger:
            self.follower.tell_news(ledger)
        return scalars_of(self.study.events_folder / "cell-1" / self.first.short_id)


def test_a_run_grows_epoch_by_epoch(study: Study) -> None:
    lived = Lived(study, tracker := Counting(study.events_folder))
    lived.begin()
    assert lived.told() == {}
    lived.epoch(1, 0.25)
    assert lived.told()["epoch/dev"] == [(1, 0.25)]
    assert lived.told()["epoch/dev"] == [(1, 0.25)], "once"
    lived.epoch(2, 0.5)
    assert lived.told()["epoch/dev_accuracy"] == [(1, 0.25), (2, 0.5)]
    lived.finish(0.5)
    assert lived.told()["dev"] == [(2, 0.5)]
    assert runs_in(study.events_folder) == exported(study)
    assert tracker.begun == [lived.first.short_id], "once"


def test_when_epochs_ended(study: Study) -> None:
    lived = Lived(study)
    lived.begin()
    lived.epoch(1, 0.25)

    now = time.time()

    def seen() -> Run:
        with study.open() as ledger:
            (group, *_) = groups_with_news(read_study(ledger), ledger, lambda trial, state: True, now)
        return group.runs[0]

    assert seen().time_of(1) == now, "of one that runs, its last has just ended"
    lived.epoch(2, 0.5)
    lived.finish(0.5)
    with study.open() as ledger:
        began, ended = ledger.connection.execute("SELECT started, ended FROM attempts").fetchone()
    assert (seen().time_of(1), seen().time_of(2)) == (pytest.approx((began + ended) / 2), ended)


@pytest.mark.parametrize("is_new", [False, True], ids=["one driver", "a driver that was killed and started again"])
def test_a_trial_that_is_taken_up_again(study: Study, is_new: bool) -> None:
    lived = Lived(study)
    lived.begin()
    lived.epoch(1, 0.25)
    lived.told()
    lived.write(lambda ledger, attempt: ledger.fail(attempt, Failure("lost_worker", "gone"), final=False))
    lived.told()
    lived.begin()
    if is_new:
        lived.follow()
    lived.told()
    lived.epoch(1, 0.25)
    assert lived.told()["epoch/dev"] == [(1, 0.25)]
    lived.epoch(2, 0.5)
    lived.finish(0.5)
    assert lived.told()["epoch/dev"] == [(1, 0.25), (2, 0.5)]
    assert runs_in(study.events_folder) == exported(study)


def test_a_pruned_trial_that_goes_on(study: Study) -> None:
    """As those do that successive halving takes to its next rung."""
    lived = Lived(study)
    lived.begin()
    lived.epoch(1, 0.25)
    lived.write(lambda ledger, attempt: ledger.prune(attempt))
    assert lived.told()["epoch/dev"] == [(1, 0.25)]
    assert runs_in(study.events_folder) == exported(study)
    lived.begin()
    lived.epoch(1, 0.25)
    lived.epoch(2, 0.5)
    lived.finish(0.5)
    assert lived.told()["dev"] == [(2, 0.5)]
    assert runs_in(study.events_folder) == exported(study)


class Failing(TensorBoard):
    """Fails whenever it has been told of an epoch, until it is mended."""

    n_calls, mended_after = 0, 10**9

    def log(self, run: Run, epochs: Sequence[int]) -> None:
        super().log(run, epochs)
        self.n_calls += 1
        if self.n_calls <= self.mended_after:
            # What was sent has come, and its answer has not.
            raise ConnectionError("no route to http://me:hunter2@host\nat all")


def test_a_tracker_that_fails_holds_nothing_up(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    plan = small_plan(SPACE)
    progress = Progress(plan.task.target, {}, Console(width=200))
    tracker = Failing(study.events_folder)
    assert sweep(plan, study, Pretending(), progress=progress, tracker=tracker).exit_code == 0
    told = capsys.readouterr().out
    assert told.count("what tracks the trials fails, and is tried again: no route to http://me:***@host\n") == 1
    lacks = (
        "mine/tensorboard lacks what it could not be told (no route to http://me:***@host): the same command tells it\n"
    )
    assert lacks in told
    sweep(plan, study, Pretending(), tracker=tracker_named("tensorboard")(study))
    assert runs_in(study.events_folder) == exported(study)


def test_failing_again_and_again_is_said_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "SHORTEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(follower, "PAUSES_PER_PASS", 0)
    sweep(small_plan(SPACE), study, Pretending())
    tracker, said = Failing(study.events_folder), list[str]()
    tracker.mended_after = 3
    sent = Sent(study.tracked_path("tensorboard"), tracker.place)
    with study.open() as ledger, follower.followed(ledger, tracker, sent, said.append):
        for _ in range(3000):
            if len(said) > 1:
                break
            time.sleep(0.01)
    assert said == [
        "what tracks the trials fails, and is tried again: no route to http://me:***@host",
        "what tracks the trials works again, and has everything",
    ]


def test_what_failed_half_way_is_begun_anew(study: Study) -> None:
    sweep(small_plan(SPACE), study, Pretending())
    tracker = Failing(study.events_folder)
    tracker.mended_after = 1
    follower = Follower(tracker, Sent(study.tracked_path("tensorboard"), tracker.place))
    with study.open() as ledger:
        with pytest.raises(ConnectionError):
            follower.tell_news(ledger)
        follower.tell_news(ledger)
    assert runs_in(study.events_folder) == exported(study)


class Counting(TensorBoard):
    """Writes down what begins, and which groups end."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.begun: list[str] = []
        self.ended: list[tuple[int, str]] = []

    def begin(self, group: Group, run: Run) -> None:
        self.begun.append(run.name)
        super().begin(group, run)

    def end_group(self, group: Group) -> None:
        self.ended.append((group.index, group.state))


def test_a_group_ends_with_the_last_of_its_runs(study: Study) -> None:
    lived = Lived(study, tracker := Counting(study.events_folder))
    lived.writer.finish(1, outcome(0.8, 0.8, chosen=2))
    lived.told()
    assert tracker.ended == []
    lived.writer.finish(1, outcome(0.7, 0.7, chosen=2), replicate=1)
    lived.told()
    lived.told()
    assert tracker.ended == [(1, "finished"), (3, "finished")], "the third cell is the same recipe"


def test_what_was_sent_is_of_a_place(tmp_path: Path) -> None:
    path = tmp_path / "tracked.jsonl"
    sent = Sent(path, "here")
    sent.note("a", "pruned")
    sent.note("a", "finished")
    sent.note("b", "failed")
    assert (sent.has("a", "finished"), sent.has("a", "pruned")) == (True, False)
    with path.open("a") as file:
        file.write('["c", "fini')  # killed while it wrote
    again = Sent(path, "here")
    assert (again.has("a", "finished"), again.has("b", "failed"), again.has("c", "finished")) == (True, True, False)
    again.note("c", "finished")
    assert Sent(path, "here").has("c", "finished")
    assert json.loads(path.read_text().partition("\n")[0]) == ["place", "here"]
    assert not Sent(path, "elsewhere").has("a", "finished")
    path.write_bytes(b'\xff{}\n["a"]\n[1, 2]\nnull\n')
    assert not Sent(path, "here").has("a", "finished")


def test_wrong_requests(study: Study, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    known = ", ".join(TRACKERS)
    for command in (["sweep"], ["optimize", "--trials", "2"]):
        assert main([*command, "finetune64", "--study", "mine", "--track", "tensorbord"]) == 2
        told = f"unknown tracker 'tensorbord' (did you mean 'tensorboard'?); known: {known}"
        assert capsys.readouterr().err.strip().endswith(told)
        assert not study.folder.exists()
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(RequestError, match="files is a package of its own: pip install tensorboardX"):
        tracker_named("tensorboard")(study)
