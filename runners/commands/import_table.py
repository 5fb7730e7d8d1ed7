"""``gridsearch import``: a published table becomes a study."""

from pathlib import Path

from gridsearch.study import Study
from reports.importing import import_table
from reports.page import write_reports
from runners.cli import EXIT_DONE, Arguments


def run(arguments: Arguments) -> int:
    """Import the rows and write their page."""
    study = Study(Path(arguments.study or f"studies/{Path(arguments.table).stem}"))
    n_rows = import_table(Path(arguments.table), arguments.response, study, arguments.inert)
    print(f"{n_rows} rows imported into {study.folder}")
    print(f"page: {write_reports(study, None, ['md'])[0]}")
    return EXIT_DONE
