"""Which arithmetic a study gets that names none."""

import json
from pathlib import Path

import pytest

from gridsearch.space.space import Space, parse_space
from gridsearch.study.study import Study
from runners import precision
from runners.cli import main
from runners.precision import with_precision

AMX = "processor : 0\nflags : fpu avx512_bf16 amx_bf16 amx_tile\n"
PLAIN = "processor : 0\nflags : fpu avx512_bf16\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with AMX and no GPU; its files lie in the folder."""
    folder = tmp_path / "machine"
    folder.mkdir()
    (folder / "cpuinfo").write_text(AMX)
    monkeypatch.setattr("runners.machine.CPU_FACTS", folder / "cpuinfo")
    monkeypatch.setattr(precision, "gpu_names", tuple)
    return folder


def encoder(folder: Path, **config: object) -> str:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"} | config))
    return str(folder)


def precision_of(text: str, folder: Path, **fixed: object) -> object:
    space = parse_space(text, "question").with_fixed(fixed)
    return with_precision(space, Study(folder / "study")).fixed.get("precision")


FACTOR = "[factors]\nbert_adam = [false, true]\n"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"hidden_size": 384}, "bf16"),
        ({"hidden_size": 127}, None),
        ({"model_type": "distilbert", "dim": 96}, None),
        ({"model_type": "distilbert"}, "bf16"),
    ],
)
def test_wide_encoders_get_bf16(machine: Path, tmp_path: Path, config: dict[str, object], expected: str | None) -> None:
    assert precision_of(FACTOR, tmp_path, encoder=encoder(tmp_path / "encoder", **config)) == expected


def test_tiny_does_not(machine: Path, tmp_path: Path) -> None:
    assert precision_of(FACTOR, tmp_path) is None


def test_all_encoders_of_a_factor_count(machine: Path, tmp_path: Path) -> None:
    wide, wider = encoder(tmp_path / "wide", hidden_size=128), encoder(tmp_path / "wider", hidden_size=768)
    assert precision_of(f"[factors]\nencoder = ['{wide}', '{wider}']\n", tmp_path) == "bf16"
    assert precision_of(f"[factors]\nencoder = ['{wide}', 'tiny']\n", tmp_path) is None


@pytest.mark.parametrize("cpuinfo", [PLAIN, None])
def test_a_processor_without_amx(machine: Path, tmp_path: Path, cpuinfo: str | None) -> None:
    (machine / "cpuinfo").unlink() if cpuinfo is None else (machine / "cpuinfo").write_text(cpuinfo)
    assert precision_of(FACTOR, tmp_path, encoder=encoder(tmp_path / "encoder")) is None


def test_a_gpu_is_where_trials_would_run(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "gpu_names", lambda: ("a card",))
    assert precision_of(FACTOR, tmp_path, encoder=encoder(tmp_path / "encoder")) is None


def test_what_the_question_says_stays(machine: Path, tmp_path: Path) -> None:
    wide = encoder(tmp_path / "encoder")
    assert precision_of(FACTOR, tmp_path, encoder=wide, precision="fp32") == "fp32"
    varied = parse_space("[factors]\nprecision = ['fp32', 'bf16']\n", "question").with_fixed({"encoder": wide})
    assert with_precision(varied, Study(tmp_path / "study")) == varied


def test_a_study_that_was_killed_before_it_began(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    Study(tmp_path / "study").ledger_path.touch()
    assert precision_of(FACTOR, tmp_path, encoder=encoder(tmp_path / "encoder")) == "bf16"


def test_a_study_keeps_what_it_began_with(machine: Path, project: Path, encoder_folder: Path, capsys) -> None:
    """Whichever machine goes on with it."""
    (project / "space.toml").write_text(FACTOR + "[design]\nkind = 'full'\n[recipe]\nepochs = 1\nmax_length = 48\n")
    words = ["space.toml", "--task", "task.toml", "--model", str(encoder_folder), "--study", "study"]

    def begun(space: Space) -> object:
        return with_precision(space, Study(Path("study"))).fixed.get("precision")

    assert main(["sweep", *words, "--runner", "serial", "--set", "precision=bf16"]) == 0
    (machine / "cpuinfo").write_text(PLAIN)
    assert begun(parse_space(FACTOR, "question")) == "bf16"
    capsys.readouterr()
    assert main(["sweep", *words, "--runner", "serial"]) == 0
    assert "complete: 2 planned, 2 finished" in capsys.readouterr().out
    with Study(Path("study")).open() as ledger:
        attempts = dict(ledger.connection.execute("SELECT state, count(*) FROM attempts"))
    assert attempts == {"finished": 2}
