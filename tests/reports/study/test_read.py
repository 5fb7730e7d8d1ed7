import sqlite3
from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.trial import Epoch, Failure
from reports.study.read import read_study
from reports.study.spread import spread
from reports.study.view import StudyRows
from tests.reports.conftest import SMALL_SPACE, Writer, outcome, small_plan


def read(study: Study) -> StudyRows:
    with study.open() as ledger:
        return read_study(ledger)


def test_a_finished_cell(study: Study) -> None:
    Writer(study, small_plan()).finish(2, outcome(0.8, 0.7, chosen=1, seconds=3.0))
    rows = read(study)
    cell = rows.cells[1]
    assert (cell.index, cell.levels, cell.state) == (2, {"bert_adam": "0", "frozen_layers": "6"}, "finished")
    assert (cell.dev.mean, cell.result.mean, cell.result.n, cell.result.sd) == (0.8, 0.7, 1, None)
    assert (cell.replicates[0].chosen_epoch, cell.replicates[0].n_epochs) == (1, 2)
    assert (cell.train_seconds_per_epoch.mean, cell.replicates[0].dev_seconds_per_epoch) == (3.0, 0.25)
    assert rows.split == "test"
    assert rows.coverage.finished == 1


def test_without_a_labelled_test_the_result_is_dev(study: Study) -> None:
    Writer(study, small_plan(has_test=False)).finish(1, outcome(0.8))
    rows = read(study)
    assert (rows.split, rows.cells[0].result.mean) == ("dev", 0.8)


def test_before_anything_is_measured_the_rows_of_test_decide(study: Study, tmp_path: Path) -> None:
    Writer(study, small_plan())
    assert read(study).split == "test"
    other = Study(tmp_path / "other")
    Writer(other, small_plan(has_test=False))
    assert read(other).split == "dev"


def test_replicates_are_averaged_over_what_has_finished(study: Study) -> None:
    writer = Writer(study, small_plan(SMALL_SPACE + "[design]\nseeds = [0, 1, 2]\n"))
    for replicate, result in enumerate((0.6, 0.8)):
        writer.finish(1, outcome(result, result), replicate)
    cell = read(study).cells[0]
    assert (cell.result.mean, cell.result.n, cell.state) == (pytest.approx(0.7), 2, "pending")
    assert cell.result.sd == pytest.approx(0.2 / 2**0.5)


def test_states_of_a_cell(study: Study) -> None:
    writer = Writer(study, small_plan())
    writer.run(lambda ledger, attempt: None, 1)
    writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("code_error", "x"), final=True), 2)
    writer.run(lambda ledger, attempt: ledger.fail(attempt, Failure("lost_worker", "x"), final=False), 3)
    assert [cell.state for cell in read(study).cells] == ["running", "failed", "pending", "pending"]


def test_epochs_of_failed_attempts_do_not_count(study: Study) -> None:
    writer = Writer(study, small_plan())

    def fail(ledger: Ledger, attempt: int) -> None:
        ledger.record_epoch(attempt, Epoch(1, 0.5, 1000.0, 0.1, {"task": {"accuracy": 0.1}}))
        ledger.fail(attempt, Failure("lost_worker", "gone"), final=False)

    writer.run(fail, 1)
    writer.finish(1, outcome(0.8, 0.8))
    rows = read(study)
    assert rows.cells[0].train_seconds_per_epoch.mean == 1.5
    assert [(failure.kind, failure.then) for failure in rows.failures] == [("lost_worker", "retried, and finished")]


def test_levels_keep_their_declared_order(study: Study) -> None:
    space = '[factors.attack]\nbaseline = "b"\n[factors.attack.levels]\nz = {epochs = 4}\nb = {epochs = 3}\n'
    Writer(study, small_plan(space))
    factor = read(study).factors[0]
    assert list(factor.levels) == ["z", "b"]
    assert factor.baseline == "b"
    assert factor.levels["z"] == {"epochs": 4}


def test_the_best_is_chosen_on_dev_and_ties_go_to_the_earlier(study: Study) -> None:
    writer = Writer(study, small_plan())
    for cell, (dev, test) in enumerate([(0.7, 0.9), (0.8, 0.6), (0.8, 0.7)], start=1):
        writer.finish(cell, outcome(dev, test))
    assert [cell.index for cell in read(study).ranking] == [2, 3, 1]


def test_of_losses_the_lower_is_better(study: Study) -> None:
    writer = Writer(study, small_plan(metric="log_loss"))
    writer.finish(1, outcome(0.7, 0.7, metric="log_loss"))
    writer.finish(2, outcome(0.4, 0.4, metric="log_loss"))
    assert [cell.index for cell in read(study).ranking] == [2, 1]


def test_excluded_cells_and_provenance(study: Study) -> None:
    rule = '[[rules]]\nskip = "bert_adam and frozen_layers == 6"\nwhy = "known"\n'
    Writer(study, small_plan(SMALL_SPACE + rule)).finish(1, outcome(0.8, 0.8))
    rows = read(study)
    assert [(cell.levels, cell.why) for cell in rows.excluded] == [({"bert_adam": "1", "frozen_layers": "6"}, "known")]
    assert [(record.content["runner"], record.n_attempts) for record in rows.provenance] == [("serial", 1)]
    assert (rows.timing.n_attempts, rows.timing.finished_seconds) == (1, 4.0)


def test_reading_leaves_no_transaction_behind(study: Study) -> None:
    writer = Writer(study, small_plan())
    with study.open() as ledger:
        read_study(ledger)
        assert not ledger.connection.in_transaction
        writer.finish(1, outcome(0.8, 0.8))
        assert read_study(ledger).coverage.finished == 1


def test_all_rows_are_of_one_moment(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that writes while the rows are read waits until they are."""
    Writer(study, small_plan())
    with study.open() as ledger:
        real = ledger.coverage

        def coverage_while_written() -> object:
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                sqlite3.connect(ledger.path, timeout=0).executescript("BEGIN IMMEDIATE; DELETE FROM cells; COMMIT")
            return real()

        monkeypatch.setattr(ledger, "coverage", coverage_while_written)
        assert len(read_study(ledger).cells) == 4


def test_an_empty_study_is_refused(study: Study) -> None:
    study.folder.mkdir()
    with Ledger(study.ledger_path) as ledger, pytest.raises(RequestError, match="nothing has been planned"):
        read_study(ledger)


def test_spread_of_nothing() -> None:
    assert (spread([None]).mean, spread([]).n) == (None, 0)
