"""``gridsearch ensemble``: averages of several runs, what they gain, and what they say of test."""

import sys
from pathlib import Path

from gridsearch.errors import RequestError, one_of
from gridsearch.tasks.inputs import read_inputs
from gridsearch.tasks.tables.table import Columns, Table
from reports.statistics.ensembles.results import Method
from runners.cli import Arguments
from runners.ensembling.averages import Averages, refuse_unfit
from runners.ensembling.gathered import Gathered, gather
from runners.ensembling.told import numbers_of, text_of
from runners.predicting.columns import known_of
from runners.predicting.submission import Submission, read_submission
from runners.programs.answer import Answer


def run(arguments: Arguments) -> Answer:
    """Tell what averages gain; write what one of them says of the test rows, where that is asked for."""
    methods = _methods(arguments.method)
    gathered = gather(arguments.studies, arguments.cells, arguments.add)
    refuse_unfit(gathered, methods)
    averages = Averages(gathered, methods)
    submission = _submission(arguments, gathered)
    written = methods[0]
    chances = None if submission is None else averages.chances(written)
    if submission is not None and chances is not None:
        submission.write(chances)
        said = "numbers" if gathered.rows.labelling.kind == "score" else "probabilities"
        what = "mean of ranks, as a share of the rows," if written is Method.RANKS else said
        print(f"{submission.target}: {what} of {len(chances)} test rows, by {written}", file=sys.stderr)
    file = None if submission is None else submission.target
    return Answer({**numbers_of(averages), "file": file}, text_of(averages).rstrip("\n"))


def _methods(asked: str | None) -> list[Method]:
    if asked is None:
        return list(Method)
    if asked not in list(Method):
        raise RequestError(f"--method: {one_of('method', asked, list(Method))}")
    return [Method(asked)]


def _submission(arguments: Arguments, gathered: Gathered) -> Submission | None:
    """Read how the test rows are to be written; None where they are not."""
    if arguments.output is None:
        if arguments.test_file is not None:
            raise RequestError("--test-file is for --output FILE, which is not given")
        return None
    wanted = gathered.wanted
    table = Table(Path(), (), True, (), tuple(range(wanted.n_test)))
    source, task = None, gathered.about.task
    sources = gathered.about.sources
    if arguments.test_file is not None:
        source = Path(arguments.test_file)
        columns = Columns.model_validate(sources["columns"])
        _, table = read_inputs(source, columns, task.kind_of_rows, ids=sources.get("ids", False))
        if len(table) != wanted.n_test:
            raise RequestError(f"{source} has {len(table)} rows, but those of test are {wanted.n_test}")
    in_columns = isinstance(sources.get("columns", {}).get("label"), list | tuple)
    return read_submission(arguments, known_of(table, task, in_columns=in_columns), source)
