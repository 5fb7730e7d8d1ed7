"""Findings beyond the rows: extremes, dead knobs, groups of failures, cautions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridsearch.study.task_entry import Judged
from gridsearch.study.versions import versions_in, with_several
from reports.formats.markdown import code, listed, plural
from reports.formats.table import decimals
from reports.language.say import enumerated, retold, say, sentences
from reports.sections.context import PageContext
from reports.sections.effects.noise_text import changes_nothing
from reports.sections.folds import apart_text
from reports.statistics.shares import share_interval
from reports.study.failed_attempt import FailedAttempt
from reports.study.view import CellRow, StudyRows
from reports.texts_read import text_cautions

FEWEST_EQUAL = 4
"""Fewer pairs of equal results may be chance: a result on few rows has few values."""


@dataclass(frozen=True)
class DeadKnob:
    """A knob that cannot act in some cells. ``groups`` are cells that differ in nothing that acts."""

    knob: str
    reason: str
    cells: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]


def dead_knobs(study: StudyRows) -> tuple[DeadKnob, ...]:
    """Gather dead knobs by name and reason, with the groups of cells that are the same recipe."""
    cells: dict[tuple[str, str], list[CellRow]] = {}
    for cell in study.cells:
        for knob, reason in cell.dead.items():
            cells.setdefault((knob, reason), []).append(cell)
    alike = _alike(study.cells)
    found = []
    for (knob, reason), several in cells.items():
        indexes = {cell.index for cell in several}
        groups = tuple(group for group in alike if len(group) > 1 and indexes & set(group))
        found.append(DeadKnob(knob, reason, tuple(sorted(indexes)), groups))
    return tuple(found)


def _alike(cells: Sequence[CellRow]) -> list[tuple[int, ...]]:
    """Group indexes by recipe: in recipes of the ledger, dead knobs are neutral."""
    groups: dict[str, list[int]] = {}
    for cell in cells:
        groups.setdefault(repr(sorted(cell.recipe.items())), []).append(cell.index)
    return [tuple(group) for group in groups.values()]


def same_rows(study: StudyRows) -> list[tuple[CellRow, ...]]:
    """Group the rows of a list that are the same recipe, and so share their trials."""
    groups: dict[tuple[str, ...], list[CellRow]] = {}
    for cell in study.cells:
        if cell.row:
            groups.setdefault(cell.trials, []).append(cell)
    return [tuple(group) for group in groups.values() if len(group) > 1]


@dataclass(frozen=True)
class FailureGroup:
    """Failed attempts of one kind with one message that ended alike."""

    kind: str
    message: str
    then: str
    n_attempts: int
    cells: tuple[int, ...]
    trials: tuple[str, ...]


def failure_groups(failures: Sequence[FailedAttempt]) -> tuple[FailureGroup, ...]:
    """Put failures together that say the same, in order of their first attempt."""
    groups: dict[tuple[str, str, str], list[FailedAttempt]] = {}
    for failure in failures:
        groups.setdefault((failure.kind, failure.message, failure.then), []).append(failure)
    return tuple(
        FailureGroup(
            *key,
            n_attempts=len(several),
            cells=tuple(sorted({index for failure in several for index in failure.cells})),
            trials=tuple(dict.fromkeys(failure.trial for failure in several)),
        )
        for key, several in groups.items()
    )


def left_out(study: StudyRows) -> Mapping[str, int]:
    """Count the cells left out for each reason that a rule gives, rules without effect included."""
    counts = {rule.why: 0 for rule in study.about.rules}
    for cell in study.excluded:
        counts[cell.why] = counts.get(cell.why, 0) + 1
    return counts


def highest_result(study: StudyRows) -> CellRow | None:
    """The cell with the best `result`; with a test it need not be the one that dev selects."""
    best: CellRow | None = None
    for cell in study.cells:
        if cell.result.mean is not None and study.beats(cell.result.mean, best.result.mean if best else None):
            best = cell
    return best


def cautions(page: PageContext) -> list[str]:
    """Say what the numbers of this study cannot bear, one Markdown sentence or two each."""
    study, ranking = page.study, page.study.ranking
    if not ranking:
        return []
    return [
        *_about_gaps(study, len(ranking)),
        *_about_versions(study),
        *_about_labels(study),
        *_about_equal_pairs(page),
        *(say("{note}.", note=f"{note[0].upper()}{note[1:]}") for note in map(retold, study.about.encoder_notes)),
        *(say("{note}.", note=f"{text[0].upper()}{text[1:]}") for text in text_cautions(study.about.texts, "mild")),
        *_about_choice(page),
        *([text] if (text := apart_text(study)) else []),
        *_about_rows(study, ranking[0]),
    ]


def _about_gaps(study: StudyRows, n_ranked: int) -> list[str]:
    if study.coverage.complete and study.standing is None and not study.skips:
        return []
    partial = [cell.index for cell in study.cells if cell.finished and len(cell.finished) < len(cell.replicates)]
    text = say(
        "Only {n} of {cells} have a result.",
        n=n_ranked,
        cells=plural(len(study.cells), "cell"),
    )
    missing = say("Some replicates are missing in {cells}.", cells=listed("cell", partial))
    return [sentences([text, missing if partial else ""])]


def _about_versions(study: StudyRows) -> list[str]:
    found = with_several(versions_in(record.content for record in study.provenance if record.seconds))
    if not found:
        return []
    told = "; ".join(f"{name} {enumerated(map(code, known))}" for name, known in found.items())
    return [
        say("The runs were computed under several versions ({versions}): cells may differ by that, too.", versions=told)
    ]


def _about_labels(study: StudyRows) -> list[str]:
    """Warn of rows of one label: the best model of them need not have learnt anything."""
    texts = []
    for one in study.about.judged:
        for name in dict.fromkeys(["dev", study.split]):
            if one.entry.labels_are == "class" and one.entry.n_labels_held.get(name) == 1:
                split = say("{split} of the part {part}", split=say(name), part=code(one.part))
                texts.append(
                    say(
                        "All rows of {split} have the same label: a model that gives it to every text is perfect.",
                        split=split if study.about.task.parts else say(name),
                    )
                )
    return texts


def _about_equal_pairs(page: PageContext) -> list[str]:
    """Name the factors that often change no digit, but for those of which the noise section says so."""
    study, notes = page.study, dict[str, str]()
    for factor in study.factors:
        pairs = [
            (one, other)
            for one, other in study.pairs_with_baseline(factor)
            if one.finished and other.finished and set(one.trials) != set(other.trials)
        ]
        n_equal = sum(one.dev.mean == other.dev.mean for one, other in pairs)
        if n_equal >= FEWEST_EQUAL and 2 * n_equal > len(pairs):
            notes[factor.name] = say(
                "{equal} of {n} pairs of cells that differ in {column} alone have exactly the same result: each is "
                "nearly one run counted twice, and noise may be larger than it looks.",
                equal=n_equal,
                n=len(pairs),
                column=code(factor.column),
            )
    # Hardly a study has any, and where rows are a sample no other section needs the analysis of effects.
    told = {one.factor for one in changes_nothing(page.analysis)} if notes and not page.is_observational else set()
    return [note for name, note in notes.items() if name not in told]


def _about_choice(page: PageContext) -> list[str]:
    """Say what choosing has made of the numbers; what to expect of the best cell instead is said where it is known."""
    study, notes = page.study, []
    n_distinct = len({cell.trials for cell in study.ranking})
    is_corrected = not page.is_observational and page.winner is not None and page.winner.shrunken is not None
    if n_distinct > 1 and not is_corrected:
        notes.append(
            say("The best of {n} noisy cells is partly the luckiest: expect less of it on new data.", n=n_distinct)
        )
    # Of folds, the sentence above the table says it.
    if not (study.has_test or study.is_folded) and any(cell.recipe.get("selection") == "best" for cell in study.cells):
        notes.append(say("There is no labelled test: the rows that chose the epoch also measured the result."))
    return notes


def _is_share(one: Judged) -> bool:
    """Whether the metric of a part is the share of rows that are told rightly."""
    if one.entry.labels_are == "class":
        return one.metric in ("accuracy", "f1_micro")
    return one.metric == "subset_accuracy"


def _about_rows(study: StudyRows, best: CellRow) -> list[str]:
    sole, value = study.about.sole, best.result.mean
    n_rows = 0 if sole is None else sole.entry.n_rows[study.split]
    if sole is None or not _is_share(sole) or value is None or not n_rows:
        return []
    low, high = share_interval(value, n_rows)
    return [
        say(
            "On the {rows} rows of {split}, the 95 % interval of {metric} {value} is {low} to {high}.",
            rows=n_rows,
            split=say(study.split),
            metric=study.metric,
            value=decimals(value),
            low=decimals(low),
            high=decimals(high),
        )
    ]
