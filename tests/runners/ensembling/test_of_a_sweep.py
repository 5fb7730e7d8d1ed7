"""An average of a real study over folds: the ledger's logits give what the kept weights give anew."""

import csv
from pathlib import Path

import numpy as np
import pytest

from runners.cli import EXIT_DONE, main
from tests.runners.predicting.test_predict_command import SPACE


@pytest.mark.slow  # 2 s
def test_it_says_what_predict_says(project: Path, encoder_folder: Path, capsys) -> None:
    head, *rows = (project / "data.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    (project / "data.tsv").write_text(head + "".join(rows[:60]), encoding="utf-8")
    (project / "test.tsv").write_text(head + "".join(rows[60:]), encoding="utf-8")
    (project / "question.toml").write_text(SPACE)
    task = (project / "task.toml").read_text(encoding="utf-8")
    (project / "task.toml").write_text(task.replace("dev = 0.25\n", 'test = "test.tsv"\n'), encoding="utf-8")
    asked = ("question.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study", "--folds", "3")
    assert main(["sweep", *asked, "--runner", "serial", "--keep", "all"]) == EXIT_DONE
    capsys.readouterr()
    assert main(["ensemble", "study", "--cells", "1,2", "-o", "a.csv", "--test-file", "test.tsv"]) == EXIT_DONE
    assert "accuracy on 60 rows." in capsys.readouterr().out
    assert main(["predict", "study", "--ensemble", "1,2", "test.tsv", "-o", "b.csv"]) == EXIT_DONE
    told = [list(csv.reader(Path(name).read_text(encoding="utf-8").splitlines())) for name in ("a.csv", "b.csv")]
    assert [row[:-2] for row in told[0]] == [row[:-2] for row in told[1]]
    first, second = (np.array([row[-2:] for row in one[1:]], dtype=float) for one in told)
    np.testing.assert_allclose(first, second, atol=2e-6)
