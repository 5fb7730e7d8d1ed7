"""What is exported: a study at one moment, and what was asked of it."""

from dataclasses import dataclass
from pathlib import Path

from gridsearch.study.ledger import Ledger
from gridsearch.study.study import Study
from reports.study.view import StudyRows


@dataclass(frozen=True)
class Source:
    """A study whose ledger is open; ``trial`` is the one whose weights are asked for."""

    study: StudyRows
    ledger: Ledger
    trial: str = ""

    @property
    def name(self) -> str:
        """What other tools call the study: its folder's name."""
        return Study(self.study.folder).name

    @property
    def page(self) -> Path | None:
        """The page of the study that people read; None where it was never written."""
        page = Study(self.study.folder).page_path.with_suffix(".html")
        return page if page.is_file() else None
