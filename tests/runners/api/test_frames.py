"""The tables of a study in Python hold the numbers of its page, and of its logits."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gridsearch as gs
from gridsearch.study.study import Study
from gridsearch.tasks.task import Task
from reports.page import write_reports
from runners.cli import main
from tests.runners.conftest import make_project

SPACE = {
    "recipe": {"epochs": 3, "max_length": 48, "learning_rate": 3e-3, "batch_size": 8},
    "factors": {"bert_adam": [False, True], "weight_decay": [0.0, 0.01, 0.1]},
    "design": {"seeds": [0, 1]},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path, docstrings_task: Task) -> gs.LoadedStudy:
    project = make_project(tmp_path_factory.mktemp("frames"), docstrings_task)
    about = {"model": str(encoder_folder), "study": project / "mine", "runner": "serial"}
    return gs.sweep(SPACE, task=project / "task.toml", **about)


def test_tables_are_those_of_the_page(study: gs.LoadedStudy, tmp_path: Path) -> None:
    write_reports(Study(study.folder), tmp_path, ["csv", "json"])
    trials, page = (
        pd.read_csv(tmp_path / "trials.csv"),
        json.loads((tmp_path / "page.json").read_text(encoding="utf-8")),
    )
    ours = study.trials
    assert len(ours) == 12
    assert list(ours["trial"]) == list(trials["trial"])
    for name in ("seed", "fold", "chosen_epoch", "epochs", "seconds", "dev_accuracy", "dev_log_loss"):
        assert np.array_equal(ours[name].astype(float), trials[name].astype(float)), name
    assert list(ours["bert_adam"].astype(str)) == list(trials["bert_adam"].astype(str))
    assert [cell["dev"]["mean"] for cell in page["cells"]] == list(study.cells["dev"])
    assert [cell["index"] for cell in page["cells"]] == list(study.cells["cell"])
    assert study.best == page["best"]
    assert study.metric == page["result"]["metric"]
    assert list(study.cells["weight_decay"].cat.categories) == ["0.0", "0.01", "0.1"]


def test_epochs_hold_what_the_chosen_one_gave(study: gs.LoadedStudy) -> None:
    epochs, trials = study.epochs, study.trials
    assert len(epochs) == 36
    assert epochs.groupby("trial")["is_chosen"].sum().eq(1).all()
    chosen = epochs[epochs["is_chosen"]].merge(trials, on=["cell", "trial"], suffixes=("", "_of_trial"))
    assert (chosen["dev"] == chosen["dev_of_trial"]).all()
    assert (chosen["epoch"] == chosen["chosen_epoch"]).all()
    assert (chosen["dev_f1_macro"] == chosen["dev_f1_macro_of_trial"]).all()


def test_predictions_give_the_metric_again(study: gs.LoadedStudy) -> None:
    said = study.predictions
    right = (said["label"].astype(str) == said["predicted"].astype(str)).groupby(said["trial"]).mean()
    trials = study.trials.set_index("trial")["dev_accuracy"]
    assert right.to_dict() == pytest.approx(trials.to_dict())
    names = [name for name in said if name.startswith("p_")]
    assert np.allclose(said[names].sum(axis=1), 1)
    one = trials.index[0]
    assert set(study.predictions_of(one[:8], "dev")["trial"]) == {one}
    with pytest.raises(gs.RequestError, match="no finished trial starts with 'zz'"):
        study.predictions_of(["zz"])


def test_new_rows_are_labelled_as_the_command_does(study: gs.LoadedStudy, tmp_path: Path) -> None:
    texts = [f"a text about {name}" for name in ("arrays", "files")]
    new = pd.DataFrame({"the text": texts, "number": [1, 2]})
    ours = study.predict(new, cell=study.best)
    new.to_csv(tmp_path / "new.csv", index=False)
    words = ["predict", str(study.folder), str(tmp_path / "new.csv"), "--cell", str(study.best)]
    assert main([*words, "-o", str(tmp_path / "out.csv")]) == 0
    theirs = pd.read_csv(tmp_path / "out.csv")
    assert list(ours.columns) == list(theirs.columns)
    assert list(ours["predicted"]) == list(theirs["predicted"])
    assert list(study.predict(texts, cell=study.best)["predicted"]) == list(ours["predicted"]), "texts alone"
    assert list(ours.iloc[:, -1]) == list(theirs.iloc[:, -1])
    with pytest.raises(gs.RequestError, match="the text"):
        study.predict(pd.DataFrame({"other": texts}))


def test_the_first_screen_is_that_of_the_page(study: gs.LoadedStudy) -> None:
    html = study._repr_html_()
    page = (study.folder / "page.html").read_text(encoding="utf-8")
    assert html.startswith("<h3>")
    first = html.split("<p>")[1].split("</p>")[0]
    assert first in page
    assert "<script" not in html
    assert repr(study).startswith("<study ")


def test_a_damaged_or_absent_study_is_told(study: gs.LoadedStudy, tmp_path: Path) -> None:
    with pytest.raises(gs.RequestError, match="there is no study at"):
        gs.load(tmp_path)
    whole = (study.folder / "ledger.sqlite").read_bytes()
    (tmp_path / "ledger.sqlite").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(gs.RequestError, match="is damaged"):
        gs.load(tmp_path)


def test_effects_are_those_of_the_page(project: Path) -> None:
    """Of an imported table, which has cells and effects, and no trials."""
    noise = np.random.default_rng(0).normal(0, 0.001, 18)
    cells = [(a, b, seed) for a in (0, 1) for b in (0, 1, 2) for seed in (0, 1, 2)]
    rows = [f"{a},{b},{seed},{0.8 + 0.1 * a + more:.4f}" for (a, b, seed), more in zip(cells, noise, strict=True)]
    Path("table.csv").write_text("a,b,seed,result\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert main(["import", "table.csv", "--study", "imported"]) == 0
    study = gs.load("imported")
    assert [f"{value:.4f}" for value in study.cells["result"]] == [row.split(",")[3] for row in rows]
    write_reports(Study(study.folder), None, ["json"])
    page = json.loads(Path("imported/page.json").read_text(encoding="utf-8"))["effects"]
    of_page = [page["effects"][0], *(one for one in page["comparisons"] if one["factor"] == "b")]
    effects = study.effects
    assert list(effects.query("found")["term"]) == ["a"]
    assert list(effects.query("term == 'b'")["level"]) == ["1", "2"]
    for place, known in zip(range(3), of_page, strict=True):
        row = effects.iloc[place]
        assert (row["estimate"], row["adjusted_p"]) == (known["estimate"], known["adjusted_p"])
        assert [row["low"], row["high"]] == known["interval"]
    with pytest.raises(gs.RequestError, match="imported table"):
        _ = study.trials
