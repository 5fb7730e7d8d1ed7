"""Inputs on which users of tools like this one failed, and what is right for each. They lie beside the project."""

import csv
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from gridsearch.study.study import Study
from runners.cli import main
from tests.fixtures_core import slow

CASES = Path(__file__).parents[3] / "shared" / "cases"
Printed = pytest.CaptureFixture[str]
Check = Callable[[Path, Printed], None]
"""A check of one case: it stands in a copy of the case's folder, with a small BERT at hand."""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what goes into a copy of the case of a number."""

    def enter(number: str) -> None:
        (case,) = CASES.glob(f"{number}-*")
        shutil.copytree(case, tmp_path / "case", copy_function=shutil.copy)
        for place in ((tmp_path / "case"), *(tmp_path / "case").iterdir()):
            place.chmod(0o755)
        monkeypatch.chdir(tmp_path / "case")
        monkeypatch.setenv("GRIDSEARCH_CACHE", str(tmp_path / "cache"))

    return enter


def case_01_header_with_empty_names(encoder: Path, printed: Printed) -> None:
    assert main(["init", "spam.csv", "-o", "t.toml"]) == 0
    assert "label is 'v1' with 2 values: ham" in _flat(printed.readouterr().out)
    assert tomllib.loads(Path("t.toml").read_text())["columns"].get("header", True) is True


def case_03_layout_of_train_for_all_files(encoder: Path, printed: Printed) -> None:
    for dev in ("dev_comma.csv", "dev_all_quoted.csv", "dev.tsv", "dev_gbk.csv"):
        task = f"{Path(dev).stem}_{Path(dev).suffix[1:]}.toml"
        assert main(["init", "train.csv", dev, "-o", task]) == 0, printed.readouterr().err
    assert main(["init", "train.csv", "-o", "t.toml"]) == 0
    _sweep(encoder, "--keep", "best")
    printed.readouterr()
    assert main(["predict", "st", "new.csv"]) == 0
    assert [row[:2] for row in csv.reader(printed.readouterr().out.splitlines())] == [
        ["id", "text"],
        ["007", "text number 3 about words"],
        ["008", "text number 4 about words"],
    ]


def case_04_predict_drops_empty_rows(encoder: Path, printed: Printed) -> None:
    assert main(["init", "train.csv", "-o", "t.toml"]) == 0
    _sweep(encoder, "--keep", "best")
    printed.readouterr()
    assert main(["predict", "st", "test_a.csv"]) == 0
    given = list(csv.reader(Path("test_a.csv").read_text().splitlines()))
    assert [row[0] for row in csv.reader(printed.readouterr().out.splitlines())] == [row[0] for row in given]


def case_05_epoch_of_nan_is_chosen(encoder: Path, printed: Printed) -> None:
    _sweep(encoder, "--keep", "best", epochs=None)
    printed.readouterr()
    assert main(["predict", "st", "new.csv"]) == 0
    assert "nan" not in printed.readouterr().out
    with Study(Path("st")).open() as ledger:
        query = "SELECT dev FROM attempts JOIN epochs ON attempt = id AND number = chosen_epoch"
        chosen = ledger.connection.execute(query).fetchall()
    assert len(chosen) == 2
    assert all("accuracy" in row["dev"] for row in chosen)


def case_06_macro_f1_of_an_absent_class(encoder: Path, printed: Printed) -> None:
    _sweep(encoder)
    assert "| TF-IDF + logistic regression | 1.0000 |" in _flat(Path("st/page.md").read_text())


def case_07_f1_binary_of_which_label(encoder: Path, printed: Printed) -> None:
    assert main(["plan", "s.toml", "--task", "t.toml", "--model", str(encoder)]) == 0
    assert "f1_binary of 'none'" in _flat(printed.readouterr().out)
    _sweep(encoder)
    assert "f1_binary of 'none'" in _flat(Path("st/page.md").read_text())


def case_08_metric_that_dev_cannot_judge(encoder: Path, printed: Printed) -> None:
    for metric in ("matthews", "f1_binary", "auc"):
        Path("t.toml").write_text(re.sub('metric = ".*"', f'metric = "{metric}"', Path("t.toml").read_text()))
        assert main([*_command("sweep", encoder)]) == 2
        assert metric in _sentence(printed)
    assert not Path("st").exists()


def case_09_tokenizer_without_pad(encoder: Path, printed: Printed) -> None:
    _made_by("make_encoder.py")
    assert main(["plan", "s.toml", "--task", "t.toml", "--model", "./encoder"]) == 0
    _sweep(Path("encoder"))


def case_11_encoder_errors_that_point_nowhere(encoder: Path, printed: Printed) -> None:
    _made_by("make_encoders.py")
    for name, sentence in (
        ("lfs_pointer", "is a Git LFS pointer, not the weights"),
        ("lfs_pointer_bin", "is a Git LFS pointer, not the weights"),
        ("resized_without_config", "word_embeddings.* 65 .*68"),
        ("whole_model_pickled", "a pickled model"),
    ):
        for command in ("plan", "sweep"):
            printed.readouterr()
            assert main([*_command(command, Path(name))]) == 2
            assert re.search(sentence, _sentence(printed))


def case_12_ray_with_a_long_tmpdir(encoder: Path, printed: Printed) -> None:
    long = Path.cwd() / "people_of_a_group" / "slurm_jobdir_1355700_with_a_long_name" / "of_the_cluster" / "node_0016"
    long.mkdir(parents=True)
    command = [sys.executable, "-m", "runners.cli", *_command("sweep", encoder)[:-2], "--runner", "ray"]
    environment = {**os.environ, "TMPDIR": str(long), "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    if ended.returncode:
        assert ended.returncode == 2
        assert "Traceback" not in ended.stderr
        assert re.search("RAY_TMPDIR|--runner processes", ended.stderr)


def case_14_nan_is_a_class_and_a_text(encoder: Path, printed: Printed) -> None:
    _made_by("make.py")
    for name in ("nan.jsonl", "nan.parquet"):
        assert main(["init", name, "-o", "t.toml"]) == 2
        sentence = _sentence(printed)
        assert "row 4" in sentence
        assert "drop_unlabelled" in sentence


def case_16_csv_field_of_131072(encoder: Path, printed: Printed) -> None:
    _made_by("make.py")
    assert main(["init", "long.csv", "-o", "t.toml"]) == 0
    assert "40 rows" in printed.readouterr().out


def case_17_space_with_a_byte_order_mark(encoder: Path, printed: Printed) -> None:
    assert main([*_command("plan", encoder)]) == 0


def case_19_full_disk(encoder: Path, printed: Printed) -> None:
    full = Path("full")
    full.mkdir()
    for size in ("60k", "160k"):
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(full)], capture_output=True
        ).returncode:
            pytest.skip("only root may mount a disk that is soon full")
        try:
            printed.readouterr()
            assert main([*_command("sweep", encoder, study="full/st")]) == 2
            assert re.search("full|space", _sentence(printed))
        finally:
            subprocess.run(["umount", "--lazy", str(full)], check=True)


def case_20_files_that_are_no_text(encoder: Path, printed: Printed) -> None:
    _made_by("make.py")
    for name in ("data.csv.gz", "data.zip"):
        assert main(["init", name, "-o", f"{name}.toml"]) == 0
    printed.readouterr()
    assert main(["init", "data.xlsx", "-o", "t.toml"]) == 2  # it calls itself a workbook, and is none
    assert "Excel workbook" in _sentence(printed)


def _number(name: str) -> str:
    return name.split("_")[0]


START_PROCESSES = {"09", "11", "12"}
"""These take seconds: they make encoders, or start Ray."""
CHECKS = {name.removeprefix("case_"): check for name, check in globals().items() if name.startswith("case_")}


def test_every_case_is_checked(shared_data: Path) -> None:
    assert {case.name.split("-")[0] for case in CASES.iterdir() if case.is_dir()} == set(map(_number, CHECKS))


@pytest.mark.parametrize("name", [slow(name) if _number(name) in START_PROCESSES else name for name in CHECKS])
def test_what_is_right(
    name: str, asked: Callable[[str], None], shared_data: Path, encoder_folder: Path, capsys: Printed
) -> None:
    asked(_number(name))
    CHECKS[name](encoder_folder, capsys)


def _command(command: str, encoder: Path, study: str = "st") -> list[str]:
    asked = [command, "s.toml", "--task", "t.toml", "--model", str(encoder)]
    return asked if command == "plan" else [*asked, "--study", study, "--runner", "serial"]


def _sweep(encoder: Path, *options: str, epochs: int | None = 1) -> None:
    fewer = [] if epochs is None else ["--set", f"epochs={epochs}"]
    assert main([*_command("sweep", encoder), *fewer, *options]) == 0


def _sentence(printed: Printed) -> str:
    """Return what a refusal says: one sentence, and no other library's traceback."""
    told = printed.readouterr().err
    assert "Traceback" not in told
    return _flat(told)


def _flat(text: str) -> str:
    return " ".join(text.split())


def _made_by(script: str) -> None:
    subprocess.run([sys.executable, script], check=True)
