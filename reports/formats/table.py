"""The comparison table: one row a cell, in table order; as Markdown, plain text and CSV."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import wcwidth

from gridsearch.space.design import seeds_by_row
from gridsearch.space.factor import ROW, SEEDS
from gridsearch.study.ledger import Ledger
from gridsearch.study.task_entry import Judged
from gridsearch.tasks.metrics import is_better
from reports.formats import markdown
from reports.formats.markdown import NOT_LEARNED_MARK, one_line
from reports.language.say import enumerated, retold, say, sentences
from reports.study.parts import has_guesses, is_guess, splits_of_parts
from reports.study.read import read_study
from reports.study.spread import spread
from reports.study.view import CellRow, StudyRows

Value = TypeVar("Value")
TERMINAL_WIDTH = 80
CSV_COLUMNS = ("state", "not_learned", "chosen_epoch", "train_seconds_per_epoch", "trials")
"""What page.csv has beyond the table."""


@dataclass(frozen=True)
class Cell:
    """A text of the table: ``best`` of its column, or ``marked`` because a run behind it did not learn."""

    text: str
    best: bool = False
    marked: bool = False

    def in_markdown(self) -> str:
        """Return it escaped, the best one in bold."""
        text = markdown.escape(self.text)
        return (f"**{text}**" if self.best else text) + (f" {NOT_LEARNED_MARK}" if self.marked else "")

    def in_plain_text(self) -> str:
        """Return it with a star behind the best one."""
        return one_line(self.text) + ("*" if self.best else "") + (NOT_LEARNED_MARK if self.marked else "")


@dataclass(frozen=True)
class Table:
    """A header and rows of equal length."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def format(self) -> str:
        """Return the table as GitHub Markdown, aligned."""
        header = [markdown.escape(name) for name in self.header]
        return markdown.table(header, [[cell.in_markdown() for cell in row] for row in self.rows])

    def plain_text(self, width: int = TERMINAL_WIDTH) -> str:
        """Return the table for a terminal: as compact as ``width`` columns need, and wider if it must be."""
        rows = [[cell.in_plain_text() for cell in row] for row in self.rows]
        names = [one_line(name) for name in self.header]
        halves = [_in_two_lines(name) for name in names]
        two_lines = [[upper for upper, _ in halves], [lower for _, lower in halves]]
        for header, gap in (([names], "  "), (two_lines, "  "), (two_lines, " ")):
            lines = _aligned([*header, *rows], gap)
            if max(map(wcwidth.width, lines)) <= width:
                break
        lines.insert(len(header), "-" * max(map(wcwidth.width, lines)))
        return "\n".join(lines)


def comparison_table(study: StudyRows) -> Table:
    """Build the table of a study: of its cells, or of the rows that it was imported from."""
    return _published_table(study) if study.is_imported else _cell_table(study)


def result_first(study: StudyRows) -> Table:
    """Build the same table for narrow screens: the index, what came out (with sd and n), then the other columns."""
    table = comparison_table(study)
    n_columns = len(table.header)
    if study.is_imported:
        about = study.published
        first = [table.header.index(about.index_column or say("index")), table.header.index(about.response)]
    else:
        behind = n_columns - len(study.score_names)
        n_results = (3 if study.n_runs > 1 else 1) + len(fold_header(study)) + len(part_header(study))
        first = [0, *range(behind - n_results, behind)]
    order = [*first, *(place for place in range(n_columns) if place not in first)]
    return Table(
        tuple(table.header[place] for place in order),
        tuple(tuple(row[place] for place in order) for row in table.rows),
    )


def _cell_table(study: StudyRows) -> Table:
    has_several = study.n_runs > 1
    header = [say("index"), *([say(ROW)] if study.is_list else []), *(factor.column for factor in study.factors)]
    seeds = _seeds(study)
    header += [say(SEEDS)] if seeds else []
    header += _early_header(study)
    header += [train_column(study)] if study.has_train else []
    header += [say("dev")] if study.has_test else []
    header += [say("result"), *([say("sd"), "n"] if has_several else []), *fold_header(study)]
    header += [*part_header(study), *study.score_names]
    best = {"dev": _best(study.beats, [cell.dev.mean for cell in study.cells])}
    best["result"] = _best(study.beats, [cell.result.mean for cell in study.cells])
    best_of_parts = [_best_of_part(study, one, split) for one, split in splits_of_parts(study)]
    rows = []
    for cell in study.cells:
        row = [Cell(str(cell.index)), *([Cell(cell.row)] if study.is_list else [])]
        row += [Cell(cell.levels[factor.name]) for factor in study.factors]
        row += [Cell(seeds[cell.row])] if seeds else []
        row += [Cell(text) for text in _early(study, cell, decimals)]
        if study.has_train:
            row.append(_number(cell.train.mean))
        if study.has_test:
            row.append(_number(cell.dev.mean, best["dev"]))
        row.append(_result(cell, best["result"]))
        if has_several:
            row += [_number(cell.result.sd), Cell(str(cell.result.n))]
        row += [_number(value) for value in _folds(study, cell)]
        for (one, split), best_one in zip(splits_of_parts(study), best_of_parts, strict=True):
            row.append(_number(cell.of_part(one, split).mean, best_one, marked=is_guess(study, cell, one)))
        row += [Cell("" if score is None else f"{score:.6g}") for score in _scores(study, cell)]
        rows.append(tuple(row))
    return Table(tuple(header), tuple(rows))


def _seeds(study: StudyRows) -> dict[str, str]:
    """The seeds of each row of a list, where some row has its own."""
    design = study.about.design
    return seeds_by_row(design.rows, design.seeds)


def fold_header(study: StudyRows) -> list[str]:
    """Name the columns of a study of folds: mean and spread of the trials' own results on dev."""
    return [say("fold mean"), say("fold sd")] if study.is_folded else []


def _folds(study: StudyRows, cell: CellRow) -> list[float | None]:
    return [cell.folds.mean, cell.folds.sd] if study.is_folded else []


def part_header(study: StudyRows) -> list[str]:
    """Name the columns of a task's parts, beside the result that is none of theirs; the split where there are two."""
    splits = splits_of_parts(study)
    if all(split == "dev" for _, split in splits):
        return [one_line(one.name) for one, _ in splits]
    return [say("{metric} on {split}", metric=one_line(one.name), split=say(split)) for one, split in splits]


def _early_header(study: StudyRows) -> list[str]:
    """Name the columns of a successive halving: how far a cell came, and what the first rung saw of it."""
    if study.standing is None:
        return []
    return [say("epochs"), say("dev after {n}", n=study.standing.first_epochs)]


def train_column(study: StudyRows) -> str:
    """Name the column of what trials reach on the rows that they learned from."""
    return say("train {metric}", metric=one_line(study.metric))


def _early(study: StudyRows, cell: CellRow, spell: Callable[[float | None], Value]) -> list[str | Value]:
    if study.standing is None:
        return []
    score = study.standing.score(cell.trials, study.standing.first_epochs)
    return [str(cell.n_epochs), spell(score)]


def _scores(study: StudyRows, cell: CellRow) -> list[float | None]:
    """The outside scores of a cell: its own as a whole, or the mean of its trials'."""
    by_trial = study.scores_of(cell)
    whole = [(study.row_score(cell, name), by_trial.get(name, {})) for name in study.score_names]
    return [spread(of_trials.values()).mean if own is None else own.value for own, of_trials in whole]


def decimals(value: float | None) -> str:
    """Spell a result, or its absence.

    >>> decimals(0.93), decimals(None)
    ('0.9300', '-')
    """
    return "-" if value is None else f"{value:.4f}"


def _best(beats: Callable[[float, float | None], bool], values: Sequence[float | None]) -> str:
    """The best value as it is shown; empty without any. What looks equal to it is as good as it."""
    best: float | None = None
    for value in values:
        if value is not None and beats(value, best):
            best = value
    return "" if best is None else decimals(best)


def _best_of_part(study: StudyRows, one: Judged, split: str) -> str:
    return _best(partial(is_better, one.metric), [cell.of_part(one, split).mean for cell in study.cells])


def _number(value: float | None, best: str = "", *, marked: bool = False) -> Cell:
    text = "" if value is None else decimals(value)
    return Cell(text, best=bool(text) and text == best, marked=marked)


def is_marked(cell: CellRow) -> bool:
    """Whether a cell has a result, and a run behind it did not learn."""
    return cell.result.mean is not None and bool(cell.not_learned)


def _result(cell: CellRow, best: str) -> Cell:
    if cell.result.mean is None:
        return Cell(retold(cell.state))
    text = decimals(cell.result.mean)
    return Cell(text, best=text == best, marked=is_marked(cell))


def _published_table(study: StudyRows) -> Table:
    """Columns in published order, with the published spelling; an index is added where there was none."""
    about = study.published
    index, response = about.index_column, about.response
    columns = list(about.columns) if index else [say("index"), *about.columns]
    best: float | None = None
    for row in study.observations:
        best = row.value if study.beats(row.value, best) else best
    rows = []
    for row in study.observations:
        cells = {name: Cell(label) for name, label in {**row.levels, **row.scores, **row.seeds}.items()}
        cells[index or say("index")] = Cell(row.index)
        cells[response] = Cell(row.text, best=row.value == best)
        rows.append(tuple(cells[name] for name in columns))
    return Table(tuple(columns), tuple(rows))


def terminal_table(ledger: Ledger) -> str:
    """Return what a sweep prints at its end: the table in plain text, with what its marks mean."""
    study = read_study(ledger)
    table = comparison_table(study)
    lines = [] if study.is_imported else [say("result: {measure}", measure=measure_text(study))]
    lines.append(table.plain_text())
    if any(cell.best for row in table.rows for cell in row):
        lines.append(say("* best of its column"))
    if any(map(is_marked, study.cells)):
        lines.append(say("{mark} did not learn: see the page", mark=NOT_LEARNED_MARK))
    if has_guesses(study):
        text = say("{mark} in the column of a part: no better than a guess there", mark=NOT_LEARNED_MARK)
        lines.append(text)
    if study.score_names:
        lines.append(outside_text(study, one_line))
    return "\n".join(lines)


def measure_text(study: StudyRows, spell: Callable[[str], str] = one_line) -> str:
    """Say what `result` is: metric, split, epoch, replicates. ``spell`` is how foreign texts are spelled."""
    mean = say(", mean over seeds") if study.n_runs > 1 else ""
    metric = metric_text(study, spell)
    if study.is_folded:
        return _measured_in_folds(study, metric) + mean
    return say("{metric} on {split} at the chosen epoch", metric=metric, split=say(study.split)) + mean


def _measured_in_folds(study: StudyRows, metric: str) -> str:
    if study.has_test:
        if study.predicts_numbers:
            return say("{metric} on test, by the folds' mean", metric=metric)
        return say("{metric} on test, by the folds' mean probabilities", metric=metric)
    return say("{metric} of all rows, each judged by its fold's run", metric=metric)


def metric_text(study: StudyRows, spell: Callable[[str], str] = one_line) -> str:
    """Name the metric; with the label that it is of where its value for the other label is another."""
    if study.positive_label is None:
        return spell(study.metric)
    return say("{metric} of '{label}'", metric=spell(study.metric), label=spell(study.positive_label))


def outside_text(study: StudyRows, spell: Callable[[str], str]) -> str:
    """Say which columns are scores from outside; ``spell`` is how their names are spelled."""
    text = say("From outside, never chosen or tested by: {names}.", names=enumerated(map(spell, study.score_names)))
    is_mean = study.scores and study.n_replicates > 1
    return sentences(
        [
            text,
            say("Of several trials of a row, the mean.") if is_mean else "",
            say("What was given for a whole row is of all its trials together.") if study.row_scores else "",
            *_of_fewer(study, spell),
        ]
    )


def _of_fewer(study: StudyRows, spell: Callable[[str], str]) -> list[str]:
    """Say which scores of rows are older than some of the rows' trials."""
    known = [(name, cell, study.row_score(cell, name)) for name in study.score_names for cell in study.cells]
    return [
        say(
            "The {score} of {cell} is of {n} of its {total} trials: the others were added later.",
            score=spell(name),
            cell=cell.name(spell),
            n=len(own.trials),
            total=len(set(cell.trials)),
        )
        for name, cell, own in known
        if own is not None and set(own.trials) < set(cell.trials)
    ]


def csv_text(study: StudyRows) -> str:
    """Return the same rows as CSV: numbers unrounded, results empty where there are none, and columns for programs."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    table = comparison_table(study)
    if study.is_imported:
        writer.writerow(table.header)
        writer.writerows([cell.text for cell in row] for row in table.rows)
        return buffer.getvalue()
    writer.writerow([*table.header, *CSV_COLUMNS])
    writer.writerows(_csv_row(study, cell) for cell in study.cells)
    return buffer.getvalue()


def _csv_row(study: StudyRows, cell: CellRow) -> list[object]:
    seeds = _seeds(study)
    return [
        cell.index,
        *([cell.row] if study.is_list else []),
        *(cell.levels[factor.name] for factor in study.factors),
        *([seeds[cell.row]] if seeds else []),
        *_early(study, cell, lambda score: score),
        *([cell.train.mean] if study.has_train else []),
        *([cell.dev.mean] if study.has_test else []),
        cell.result.mean,
        *([cell.result.sd, cell.result.n] if study.n_runs > 1 else []),
        *_folds(study, cell),
        *(cell.of_part(one, split).mean for one, split in splits_of_parts(study)),
        *_scores(study, cell),
        cell.state,
        "; ".join(cell.not_learned),
        " ".join(str(replicate.chosen_epoch) for replicate in cell.finished),
        cell.train_seconds_per_epoch.mean,
        " ".join(cell.trials),
    ]


def _aligned(rows: Sequence[Sequence[str]], gap: str) -> list[str]:
    widths = [max(map(wcwidth.width, column)) for column in zip(*rows, strict=True)]
    return [
        gap.join(wcwidth.ljust(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _in_two_lines(name: str) -> tuple[str, str]:
    """Break a header at the underscore, dot or space nearest to its middle; what cannot break stands below.

    >>> _in_two_lines("warmup_proportion"), _in_two_lines("index")
    (('warmup_', 'proportion'), ('', 'index'))
    """
    places = [found.end() for found in re.finditer(r"[_. ](?=.)", name)]
    if not places:
        return "", name
    place = min(places, key=lambda end: abs(end - len(name) / 2))
    return name[:place].rstrip(), name[place:]
