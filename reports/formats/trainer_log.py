"""The log of a pretraining as a file: JSON lines, each as transformers' Trainer writes it into ``log_history``."""

import json

from reports.study.stage_rows import StageRow
from reports.study.view import StudyRows

FOLDER = "pretraining"
"""Where the logs of a study lie, beside page.csv."""


def trainer_log(row: StageRow) -> str:
    """Return an object a line: loss, learning_rate, epoch, step."""
    return "".join(json.dumps(point.as_trainer_logs()) + "\n" for point in row.log)


def trainer_logs(study: StudyRows) -> dict[str, str]:
    """Return the log of every pretraining that has one, by the name of its file."""
    return {f"{FOLDER}/{row.stage.short_id}.jsonl": trainer_log(row) for row in study.stages if row.log}
