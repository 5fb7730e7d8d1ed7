"""The commands that repeat what a page shows, ready to be pasted into a shell."""

import shlex
from pathlib import Path

from reports.study.view import StudyRows

_SHORT_ID = 8


def short_id(trial: str) -> str:
    """Return the digits of a trial's id that people see."""
    return trial[:_SHORT_ID]


def sweep_command(study: StudyRows) -> str:
    """Return the command of the latest sweep or search; where none has started yet, one made of the stored sources."""
    for record in reversed(study.provenance):
        command = [str(part) for part in record.content.get("command", ())]
        if {"sweep", "optimize"} & set(command[:2]):
            return shlex.join([Path(command[0]).name, *command[1:]])
    return _from_sources(study)


def _from_sources(study: StudyRows) -> str:
    about, sources = study.about, study.about.sources
    words = ["gridsearch", "sweep", str(sources.get("space") or about.space)]
    for key, option in (
        ("task", "--task"),
        ("model", "--model"),
        ("data_dir", "--data-dir"),
        ("train_rows", "--train-rows"),
    ):
        if sources.get(key):
            words += [option, str(sources[key])]
    words += [word for setting in sources.get("set", ()) for word in ("--set", setting)]
    if about.halving is not None:
        words += ["--halving", str(about.halving.eta)]
    if about.design.folds is not None:
        words += ["--folds", str(about.design.folds)]
    words += ["--seeds", ",".join(str(seed) for seed in about.design.seeds)]
    return shlex.join([*words, "--study", str(study.folder)])


def rerun_command(study: StudyRows, trial: str) -> str:
    """Return the command that trains one trial again."""
    return shlex.join(["gridsearch", "rerun", str(study.folder), "--trial", short_id(trial)])


def report_command(study: StudyRows) -> str:
    """Return the command that writes the numbers for programs."""
    part = ["--part", study.part] if study.part else []
    return shlex.join(["gridsearch", "report", str(study.folder), *part, "--format", "md,csv,json"])


def part_command(study: StudyRows, part: str) -> str:
    """Return the command that writes the page of a part."""
    return shlex.join(["gridsearch", "report", str(study.folder), "--part", part])
