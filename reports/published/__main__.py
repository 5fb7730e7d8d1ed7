"""Make the published studies again, from the project's folder: ``make published``, or some of them by name.

    python -m reports.published [NAME ...] [--data DIR] [--workers N]

A study that was begun goes on, and one that is whole is only written again: page, figures and tables, in two languages.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gridsearch.errors import RequestError, one_of
from gridsearch.study.study import Study

HERE = Path(__file__).parent
STUDIES = Path("studies")
ENCODER = Path("encoders/mlm128")
LAST_FILE = "tokenizer_config.json"
"""What its script writes last: an encoder without it is half made."""
DATA = "{data}"
"""Stands in a command for the data folder."""


@dataclass(frozen=True)
class Published:
    """How a study is made. ``question`` is what ``gridsearch`` is asked; ``study`` the folder below studies/.

    ``data`` is what it reads below the data folder. ``maker`` is a script that makes its encoder, where it needs one.
    """

    study: str
    question: tuple[str, ...]
    data: str
    maker: str | None = None


def _finetune64(name: str, task: str, model: str) -> tuple[str, ...]:
    space = (HERE / name / "finetune64.toml").relative_to(HERE.parents[1])
    return ("sweep", str(space), "--task", task, "--model", model, "--train-rows", "4000")


def _on_oppo(space: str) -> tuple[str, ...]:
    knobs = ("pretraining.corpus=all+files", "precision=bf16", "max_length=64", "pretraining.max_length=64")
    return ("sweep", space, "--task", "oppo", *(word for knob in knobs for word in ("--set", knob)))


_CUT_AT_64 = ("--set", "max_length=64")
_ON_TIANCHI = (
    *("sweep", "seed004", "--task", "tianchi", "--train-rows", "4000", "--seeds", "0,1"),
    *("--set", "precision=bf16", "--set", "gradient_accumulation=1"),
)
ALL = {
    "seed64": Published(
        "seed64",
        ("import", f"{DATA}/../reference/seed64.csv", "--inert", "reinit_pooler", "--study", "studies/seed64"),
        "../reference/seed64.csv",
    ),
    "sst2-minilm": Published("finetune64-sst2-minilm", _finetune64("sst2-minilm", "sst2", "minilm"), "glue/SST-2"),
    "precision-sst2-minilm": Published(
        "precision-sst2-minilm",
        ("sweep", "precision", "--task", "sst2", "--model", "minilm", "--train-rows", "4000", *_CUT_AT_64),
        "glue/SST-2",
    ),
    "thucnews10-mlm128": Published(
        "finetune64-thucnews10-mlm128",
        _finetune64("thucnews10-mlm128", "thucnews10", str(ENCODER)),
        "thucnews10",
        "make_encoder.py",
    ),
    "competition-oppo": Published("competition-oppo-tiny", _on_oppo("competition"), "oppo_xiaobu_plain"),
    "masks-oppo": Published("masks-oppo-tiny", _on_oppo("masks"), "oppo_xiaobu_plain"),
    "pairs-oppo": Published("pairs-oppo-tiny", _on_oppo("pairs"), "oppo_xiaobu_plain"),
    "seed004-tianchi": Published("seed004-tianchi-tiny", _ON_TIANCHI, "tianchi_multitask"),
    "pretraining-oppo": Published("pretraining-oppo-tiny", _on_oppo("pretraining"), "oppo_xiaobu_plain"),
}


def make(name: str, published: Published, data: Path, workers: int, pages: Path = HERE) -> None:
    """Fill a study, or what it lacks, and write its page in English and Chinese.

    Raises:
        RequestError: its data are not there, or a command failed, which has said why.
    """
    if not (data / published.data).exists():
        raise RequestError(f"{name} needs {data / published.data}, which is not there; name the folder with --data")
    study = Study(STUDIES / published.study)
    if published.maker and not (ENCODER / LAST_FILE).is_file():
        _run([str(pages / name / published.maker), str(data), str(ENCODER)], data)
    words = [word.replace(DATA, str(data)) for word in published.question]
    if words[0] == "sweep":
        _run(["-m", "runners.cli", *words, "--workers", str(workers)], data)
    elif not study.ledger_path.is_file():
        _run(["-m", "runners.cli", *words], data)
    for folder, options in ((pages / name, ("md,csv",)), (pages / name / "zh", ("md", "--lang", "zh"))):
        _run(["-m", "runners.cli", "report", str(study.folder), "--format", *options, "-o", str(folder)], data)


def _run(words: Sequence[str], data: Path) -> None:
    """Run Python; where the data are goes by the environment, so that no page names a folder of this machine."""
    print("$ python", *words, flush=True)
    environment = {**os.environ, "GRIDSEARCH_DATA": str(data)}
    code = subprocess.run([sys.executable, *words], env=environment, check=False).returncode
    if code:
        raise RequestError(f"python {' '.join(words)} ended with exit code {code}")


def data_folder(given: str | None) -> Path:
    """Return the folder of the data sets: as given, else of the environment, else beside the project."""
    return Path(given or os.environ.get("GRIDSEARCH_DATA") or "../shared/data")


def main(arguments: Sequence[str]) -> int:
    """Make the named studies, or all; 2 where one could not be made."""
    parser = argparse.ArgumentParser(prog="python -m reports.published", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(ALL)} (default: all)")
    parser.add_argument("--data", metavar="DIR", help="the data sets (default: $GRIDSEARCH_DATA, else ../shared/data)")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    try:
        for name in chosen.names or ALL:
            if name not in ALL:
                raise RequestError(one_of("published study", name, list(ALL)))
            make(name, ALL[name], data_folder(chosen.data), chosen.workers)
    except RequestError as error:
        print(f"reports.published: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
