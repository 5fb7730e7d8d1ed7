"""The luggage of a bare machine, beside the code: wheels of the packages that it lacks, and the rows of the run."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path

LACKING = ("pydantic", "pydantic_core", "annotated-types", "typing-inspection", "wcwidth")
"""What the core needs and the bare machine of the plan lacks; all but the second are pure Python."""
PYTHON = "3.12"
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
MIB_MOST = 60
CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"

TASK = "thucnews10"
ROWS = {"train_first45k.txt": 12_000, "dev.txt": 2_000, "test.txt": 500, "class.txt": None}
"""Files of the task's folder to how many of their first lines travel; None is all."""


def pack(folder: Path, data_dir: Path | None) -> int:
    """Fill the folder; say how large it is. Returns an exit code."""
    data_dir = data_dir or Path(os.environ.get("GRIDSEARCH_DATA", ""))
    source = data_dir / TASK
    if missing := [name for name in ROWS if not (source / name).is_file()]:
        print(f"bench: --data-dir or GRIDSEARCH_DATA must hold {TASK}/{missing[0]}", file=sys.stderr)
        return 2
    rows = folder / "data" / TASK
    rows.mkdir(parents=True, exist_ok=True)
    for name, n_lines in ROWS.items():
        with (source / name).open(encoding="utf-8") as file:
            (rows / name).write_text("".join(islice(file, n_lines)), encoding="utf-8")
    for old in folder.glob("*.whl"):
        old.unlink()
    if subprocess.run(_download(folder), check=False).returncode != 0:
        print("bench: the wheels cannot be fetched: see pip's words above", file=sys.stderr)
        return 1
    mib = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
    print(f"{folder}: {len(wheels(folder))} wheels and the rows of {TASK}, {mib:.1f} MiB")
    if mib > MIB_MOST:
        print(f"bench: that is more than the {MIB_MOST} MiB that may travel", file=sys.stderr)
        return 1
    return 0


def _download(folder: Path) -> list[str]:
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"),
        *("--python-version", PYTHON, "--implementation", "cp", *platforms),
        *("-c", str(CONSTRAINTS), "-d", str(folder), *LACKING),
    ]


def wheels(folder: Path) -> list[Path]:
    """List the wheels that were carried."""
    return sorted(folder.glob("*.whl"))


def lacking_wheels(folder: Path) -> list[Path]:
    """List the wheels of packages that are not installed here: those that are installed are used."""
    return [path for path in wheels(folder) if not _is_installed(path.name.split("-")[0])]


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def unpack(paths: Sequence[Path], target: Path) -> Path | None:
    """Unpack wheels to where Python finds them; None when there is none. No pip is needed, and nothing is installed."""
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(target)
    return target if paths else None
