"""A study in Python: its numbers as tidy tables, its certificate, the first screen of its page."""

import contextlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gridsearch.errors import RequestError
from gridsearch.scratch import scratch_folder
from gridsearch.study.damage.judge import refuse_damaged
from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from gridsearch.tasks.judging.own_metric import OwnMetric
from reports.study.read import read_study
from runners.api.calls import arguments_of, called
from runners.api.tables import arrow_bytes

if TYPE_CHECKING:
    import pandas as pd

    from gridsearch.study.survey import Coverage
    from reports.study.view import StudyRows


@dataclass(frozen=True)
class LoadedStudy:
    """A study as it was when it was loaded. Tables are read when they are first asked for.

    ``folder`` is where it lies; every command takes it.
    """

    folder: Path

    def __post_init__(self) -> None:
        _ = self._rows  # what is no study is refused at once

    @property
    def metric(self) -> str:
        """What results are measured by."""
        return self._rows.metric

    @property
    def best(self) -> int | None:
        """The index of the cell that came out best on dev, as the page names it: of equal ones, the first in the table.

        None before any has finished. Which one to use, the first screen of the page says.
        """
        return next((cell.index for cell in self._rows.ranking), None)

    @cached_property
    def cells(self) -> "pd.DataFrame":
        """One row a cell, as the page's table has them: see reports/frames/trials.py for the columns."""
        from reports.frames.trials import cells_frame

        return cells_frame(self._rows)

    @cached_property
    def trials(self) -> "pd.DataFrame":
        """One row a trial of each cell: seed, fold, state, all metrics at the chosen epoch, seconds."""
        from reports.frames.trials import trials_frame

        return trials_frame(self._rows)

    @cached_property
    def epochs(self) -> "pd.DataFrame":
        """One row an epoch of each trial of each cell: loss, all metrics on dev, seconds."""
        from reports.frames.trials import epochs_frame

        with self._opened() as ledger:
            return epochs_frame(ledger, self._rows)

    @cached_property
    def predictions(self) -> "pd.DataFrame":
        """One row for each row of dev and test that a finished trial judged: true label, predicted, probabilities."""
        return self.predictions_of()

    def predictions_of(self, trials: Collection[str] | None = None, split: str | None = None) -> "pd.DataFrame":
        """Return the predictions of some trials (ids or their first digits), on "dev" or "test" alone."""
        from reports.frames.predictions import predictions_frame

        with self._opened() as ledger:
            return predictions_frame(ledger, self._rows, trials, split)

    @cached_property
    def effects(self) -> "pd.DataFrame":
        """One row a tested contrast: estimate, simultaneous interval, p values, whether the page names it."""
        from reports.frames.effects import effects_frame

        return effects_frame(self._rows)

    def verify(self) -> "Coverage":
        """Return the certificate, as ``gridsearch verify`` prints it; ``.complete`` says whether nothing lacks.

        Raises RequestError where the ledger is damaged.
        """
        from runners.commands.verify import certificate

        with self._opened() as ledger:
            refuse_damaged(ledger.connection, ledger.path, "it is verified")
            return certificate(Study(self.folder), ledger, ledger.survey())

    def predict(
        self,
        table: object,
        *,
        trial: str = "best",
        cell: int | str | None = None,
        ensemble: Sequence[int] | None = None,
        part: str | None = None,
        metric: OwnMetric | None = None,
    ) -> "pd.DataFrame":
        """Return new rows with what is said of them, as ``gridsearch predict`` writes it: its columns beside theirs.

        ``table`` is any that :func:`gridsearch.task` takes, with the columns of the task, or the path of a file, or a
        list of texts. Who says it: the best ``trial`` or another, a ``cell`` (the mean over its seeds and folds), or
        several (``ensemble``). A trial without kept weights is trained again; for a study that is judged by a function
        of your own, that takes the ``metric``. Raises RequestError where columns or trials are not there.
        """
        import pandas as pd

        from runners.commands.predict import run

        with called(self.folder) as call, scratch_folder() as folder:
            rows, output = folder / "rows.arrow", folder / "predictions.jsonl"
            if isinstance(table, (list, tuple)) and all(isinstance(one, str) for one in table):
                table = [{self._text_column: one} for one in table]
            if not isinstance(table, (str, Path)):
                rows.write_bytes(arrow_bytes(table, "the table"))
            named = str(table) if isinstance(table, (str, Path)) else str(rows)
            who = {"cell": cell, "ensemble": ensemble} if trial == "best" else {"trial": trial, "cell": cell}
            options = {**who, "part": part, "output": output, "columns": None}
            call.arguments = arguments_of("predict", [str(self.folder), named], options, metric)
            run(call.arguments)
            lines = output.read_text(encoding="utf-8").splitlines()
        return pd.DataFrame([json.loads(line) for line in lines])

    def export(self, to: str, output: str | Path, *, trial: str | None = None, force: bool = False) -> Path:
        """Write the study for another tool, as ``gridsearch export`` does; return where.

        ``to`` is csv, parquet, tensorboard, optuna, mlflow, trackio or wandb; or transformers, a kept trial's model:
        that of ``trial`` (an id or its first digits), or the best one. ``force`` replaces what is there. Raises
        RequestError for what cannot be written so, and where the tool's package is not installed.
        """
        from runners.commands.export import run

        options = {"to": to, "output": output, "trial": trial, "force": force}
        with called(self.folder) as call:
            call.arguments = arguments_of("export", [str(self.folder)], options)
            run(call.arguments)
        return Path(output)

    @cached_property
    def _rows(self) -> "StudyRows":
        with self._opened() as ledger:
            return read_study(ledger)

    @property
    def _text_column(self) -> str:
        """The column of the task's texts, where rows are texts and nothing else. Raises RequestError elsewhere."""
        with self._opened() as ledger:
            columns = ledger.trials_manifest().sources["columns"]
        if not isinstance(columns.get("text"), str) or columns.get("pair") is not None:
            raise RequestError("texts alone are rows of a task of one text, whose column has a name: give a table")
        return str(columns["text"])

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Ledger]:
        with called(self.folder), Study(self.folder).open() as ledger:
            yield ledger

    def __str__(self) -> str:
        return f"{self._rows.manifest.title} ({self.folder}): {self._rows.coverage}"

    def __repr__(self) -> str:
        return f"<study {self}>"

    def _repr_html_(self) -> str:
        from reports.page import first_screen

        return first_screen(self._rows)


def load(study: str | Path) -> LoadedStudy:
    """Return a study by its folder. Raises RequestError where there is none, or its ledger is damaged."""
    return LoadedStudy(Path(study))
