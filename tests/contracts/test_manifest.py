"""A study's manifest: what is written is read again, whatever its kind, and what older ledgers lack has its value."""

from pathlib import Path

import pytest

from gridsearch.errors import RequestError
from gridsearch.study.manifest import CurveManifest, TableManifest, TrialsManifest, manifest_of, read_manifest
from gridsearch.study.study import Study
from reports.importing.imported import store
from reports.importing.logs import read_log
from reports.importing.tables import read_table
from tests.reports.conftest import small_plan

RANGE = "[factors.learning_rate]\nrange = { low = 1e-5, high = 1e-4, log = true }\n"
RULE = "[[rules]]\nskip = 'bert_adam and frozen_layers > 0'\nwhy = 'no'\n"
SPACES = {
    "full": "[factors]\nbert_adam = [false, true]\n",
    "range": f'{RANGE}[design]\nkind = "random"\ncells = 3\n',
    "rules": f"[factors]\nbert_adam = [false, true]\nfrozen_layers = [0, 1]\n{RULE}",
}


@pytest.mark.parametrize("space", SPACES)
def test_a_study_of_trials_is_read_as_it_was_written(space: str, tmp_path: Path) -> None:
    plan = small_plan(SPACES[space])
    written = manifest_of(plan, {"space": "small", "encoders": {}})
    with Study(tmp_path).driven() as ledger:
        ledger.adopt(plan, {"space": "small", "encoders": {}})
        read = ledger.manifest()
    assert isinstance(read, TrialsManifest)
    assert read.to_json() == {key: listed(value) for key, value in written.to_json().items()}
    assert (read.target, read.halving, read.design.kind) == (plan.task.target, None, plan.space.design.kind)


def listed(value: object) -> object:
    """Spell tuples as JSON does."""
    if isinstance(value, dict):
        return {key: listed(one) for key, one in value.items()}
    return [listed(one) for one in value] if isinstance(value, list | tuple) else value


def test_what_an_older_ledger_lacks_has_its_value() -> None:
    kept = listed(manifest_of(small_plan(), {}).to_json())
    assert isinstance(kept, dict)
    for key in ("positive_label", "n_labels_held", "optimised", "halving", "space_text", "sources"):
        del kept[key]
    old = read_manifest(kept)
    assert isinstance(old, TrialsManifest)
    assert (old.task.positive_label, old.search, old.halving, old.space_text) == (
        kept["label_names"][1],
        None,
        None,
        "",
    )


def test_a_published_table_and_a_log_are_kinds_of_their_own(tmp_path: Path) -> None:
    table, log = tmp_path / "table.csv", tmp_path / "log.txt"
    table.write_text("index,warm,score\n1,0,0.5\n2,1,0.6\n", encoding="utf-8")
    store(read_table(table, "score"), Study(tmp_path / "table"))
    with Study(tmp_path / "table").open() as ledger:
        about = ledger.manifest()
        with pytest.raises(RequestError, match="no trials in it"):
            ledger.trials_manifest()
    assert isinstance(about, TableManifest)
    assert not isinstance(about, CurveManifest)
    assert (about.response, about.index_column, [factor.name for factor in about.factors]) == (
        "score",
        "index",
        ["warm"],
    )
    assert about.rows.response == ["0.5", "0.6"]
    log.write_text("{'loss': 0.5, 'epoch': 1}\n{'loss': 0.4, 'epoch': 2}\n", encoding="utf-8")
    store(read_log(log, "epoch", "loss"), Study(tmp_path / "log"))
    with Study(tmp_path / "log").open() as ledger:
        curve = ledger.manifest()
    assert isinstance(curve, CurveManifest)
    assert (curve.curve, curve.form, curve.factors) == ("epoch", "log", ())
