"""Each tracker that is a package of its own, followed live: its own reader finds what an export has.

None of them is installed by `make install`: pip install -e '.[trackers]' runs these.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from runners.tracking.chosen import tracker_named
from runners.tracking.follower import Follower
from runners.tracking.sent import Sent
from tests.reports.conftest import Writer, outcome, small_plan
from tests.runners.driving import sweep
from tests.runners.exporting.offline_runs import history_of, records_of, summary_of
from tests.runners.exporting.studies import SPACE, export
from tests.runners.pretending import Pretending
from tests.runners.tracking.test_following import epoch

pytestmark = [
    pytest.mark.slow,  # seconds each to import, and to make a store
    pytest.mark.filterwarnings("ignore"),  # they warn of one another
]
TIMES = ("timestamp", "_Created", "_timestamp", "_runtime", "_wandb", "_wandb/runtime")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    home = tmp_path / 'a user\'s "folder" 中文'
    home.mkdir()
    monkeypatch.chdir(home)
    for name in ("MLFLOW_EXPERIMENT_NAME", "WANDB_PROJECT", "WANDB_API_KEY", "WANDB_DIR", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    return Study(Path("mine"))


def swept(study: Study, tracker: str) -> None:
    """Sweep once, and once more, which has nothing to tell."""
    for _ in range(2):
        followed_by = tracker_named(tracker)(study)
        assert sweep(small_plan(SPACE), study, Pretending(n_workers=3), tracker=followed_by).exit_code == 0


def killed_and_started_again(study: Study, tracker: str) -> str:
    """Follow a trial to its first epoch, forget the follower, and follow the next attempt; return the trial's id."""
    writer = Writer(study, small_plan(SPACE))

    def begin(ledger: Ledger, attempt: int) -> None:
        ledger.record_epoch(attempt, epoch(1, 0.25))
        tell(study, tracker)
        ledger.release("killed")

    def end(ledger: Ledger, attempt: int) -> None:
        ledger.record_epoch(attempt, epoch(1, 0.25))
        tell(study, tracker)
        ledger.finish(attempt, outcome(0.5, 0.5, chosen=2))

    for act in (begin, end):
        writer.run(act, 1)
    tell(study, tracker)
    return writer.plan.cells[0].trials[0].id


def tell(study: Study, name: str) -> None:
    tracker = tracker_named(name)(study)
    assert tracker is not None
    with study.open() as ledger:
        Follower(tracker, Sent(study.tracked_path(name), tracker.place)).tell_news(ledger)
    tracker.close()


def without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in (*TIMES, *names)}


class TestTrackio:
    @pytest.fixture(autouse=True)
    def _home(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("trackio", reason="trackio is not installed")
        from trackio import sqlite_storage

        monkeypatch.setattr(sqlite_storage, "TRACKIO_DIR", Path("live").absolute())

    def read(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        from trackio import sqlite_storage

        monkeypatch.setattr(sqlite_storage, "TRACKIO_DIR", folder.absolute())
        storage = sqlite_storage.SQLiteStorage
        return {
            run: (
                [without(entry) for entry in storage.get_logs("mine", run)],
                without(storage.get_run_config("mine", run)),
            )
            for run in storage.get_runs("mine")
        }

    def test_live_is_as_exported(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        swept(study, "trackio")
        assert export(study, "trackio", Path("exported")) == 0
        found = self.read(Path("live"), monkeypatch)
        assert len(found) == 6
        assert found == self.read(Path("exported"), monkeypatch)

    def test_killed(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        killed_and_started_again(study, "trackio")
        assert export(study, "trackio", Path("exported")) == 0
        assert self.read(Path("live"), monkeypatch) == self.read(Path("exported"), monkeypatch)


class TestMLflow:
    @pytest.fixture(autouse=True)
    def _home(self, study: Study, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
        pytest.importorskip("mlflow", reason="mlflow is not installed")
        import mlflow

        (tmp_path / "live").mkdir()  # MLflow spells a path into a statement of SQL as it is
        monkeypatch.chdir(tmp_path / "live")
        self.uri = f"sqlite:///{tmp_path}/live/mlflow.db"
        mlflow.set_tracking_uri(self.uri)
        yield
        mlflow.set_tracking_uri(None)

    def read(self, uri: str) -> dict[str, Any]:
        import mlflow

        client = mlflow.MlflowClient(tracking_uri=uri)
        (experiment,) = [one for one in client.search_experiments() if one.name == "mine"]
        runs = {run.info.run_id: run for run in client.search_runs(experiment.experiment_id)}
        names = {run_id: run.info.run_name for run_id, run in runs.items()}
        assert len(set(names.values())) == len(names), "no run twice"
        return {
            names[run_id]: (
                run.info.status,
                run.data.params,
                {
                    metric: [(one.step, one.value) for one in client.get_metric_history(run_id, metric)]
                    for metric in run.data.metrics
                },
                names.get(run.data.tags.get("mlflow.parentRunId")),
                run.data.tags.get("state"),
            )
            for run_id, run in runs.items()
            if names[run_id] != "the study"
        }

    def test_live_is_as_exported(self, study: Study) -> None:
        swept(study, "mlflow")
        assert export(study, "mlflow", Path("exported")) == 0
        found = self.read(self.uri)
        assert len(found) == 6 + 4
        assert found == self.read(f"sqlite:///{Path('exported').absolute()}/mlflow.db")

    def test_killed(self, study: Study) -> None:
        trial = killed_and_started_again(study, "mlflow")
        assert export(study, "mlflow", Path("exported")) == 0
        exported = self.read(f"sqlite:///{Path('exported').absolute()}/mlflow.db")
        found = self.read(self.uri)
        assert set(found) == {"cell 1 (plain)", trial[:8]}, "no other cell has begun"
        assert found[trial[:8]] == exported[trial[:8]]

    def test_a_server_that_is_not_there(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        import mlflow

        from gridsearch.errors import RequestError

        mlflow.set_tracking_uri("http://me:hunter2@127.0.0.1:9")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(RequestError, match=r"at http://me:\*\*\*@127.0.0.1:9 cannot be asked, so nothing is begun"):
            tracker_named("mlflow")(study)


class TestWeightsAndBiases:
    @pytest.fixture(autouse=True)
    def _installed(self, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("wandb", reason="wandb is not installed")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / "none"))

    def read(self, folder: Path) -> dict[str, Any]:
        found = {}
        for path in sorted(folder.rglob("*.wandb"), key=lambda path: path.stat().st_mtime):
            records = records_of(path)
            (run,) = [one.run for one in records if one.WhichOneof("record_type") == "run"]
            config = {item.key: json.loads(item.value_json) for item in run.config.update}
            codes = [one.exit.exit_code for one in records if one.WhichOneof("record_type") == "exit"]
            found[path.stem] = (
                (run.project, run.run_group, run.display_name),
                without(config),
                [without(entry) for entry in history_of(records)],
                without(summary_of(records)),
                codes,
            )
        return found

    def test_live_is_as_exported_where_no_key_is_known(self, study: Study) -> None:
        swept(study, "wandb")
        assert export(study, "wandb", Path("exported")) == 0
        found = self.read(Path("wandb"))
        assert len(found) == 6
        assert len(list(Path("wandb").glob("offline-run-*"))) == 6, "no run twice"
        assert found == self.read(Path("exported"))
