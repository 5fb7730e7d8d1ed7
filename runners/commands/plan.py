"""``gridsearch plan``: what a space asks, before anything is trained."""

import textwrap
from collections import Counter
from collections.abc import Mapping

from gridsearch.planning.plan import Plan
from gridsearch.planning.rates import rate_warnings
from gridsearch.recipe.shares import is_share, whole_layers
from gridsearch.space.design import alias_texts, design_text, seeds_by_row
from gridsearch.space.factor import ROW, label_of
from gridsearch.study.ledger_size import LedgerSize
from gridsearch.study.stored_logits import HALF_LOSS, refuse_unknown
from reports.formats.markdown import seconds_text
from reports.formats.table import Cell, Table
from reports.sections.effects.effects import planned_texts
from reports.statistics.results import Factor
from reports.study.measured import inert_factors
from reports.texts_read import first_lines, read_lines, text_cautions, with_lengths
from runners.backends.chosen import refuse_bad_counts
from runners.cli import Arguments
from runners.keeper import n_kept
from runners.planned.costs import Costs, costs_of
from runners.planned.facts import plan_facts
from runners.planned.stages_text import stage_texts
from runners.planned.task_text import task_texts
from runners.pricing.disk_text import disk_lines
from runners.pricing.forecast_text import no_price_lines, price_lines
from runners.pricing.memory_text import memory_lines
from runners.programs.answer import Answer
from runners.request import Question, read_question
from runners.sizes import spell_size

N_LISTED = 64
"""More cells than these are listed only on demand."""


def run(arguments: Arguments) -> Answer:
    """Tell the plan, and what it costs where that has been measured."""
    question = checked(arguments)
    costs = costs_of(question, arguments)
    return Answer(plan_facts(question, costs), "\n".join(_lines(question, costs, arguments)))


def checked(arguments: Arguments) -> Question:
    """Read what is asked. Raises RequestError for options that no sweep would take."""
    refuse_bad_counts(arguments)
    refuse_unknown(arguments.keep_logits)
    n_kept(arguments.keep)  # refuses what is no choice
    return read_question(arguments)


def lines_of(question: Question, arguments: Arguments) -> list[str]:
    """Say what a question comes to, for a terminal of 80 columns."""
    return _lines(question, costs_of(question, arguments), arguments)


def _lines(question: Question, costs: Costs, arguments: Arguments) -> list[str]:
    plan, halving = question.plan, costs.asked.halving
    lines = first_lines(plan.texts)
    lines += [""] if lines else []
    lines += [textwrap.fill(plan.space.title, 80), "", *_about(plan, costs.made), "", *_factors(plan), ""]
    lines += _cells(plan, list_all=arguments.all)
    lines += _left_out(plan)
    lines += ["", *_price(question, costs)]
    if halving is not None:
        text = f"halving  {halving.text(*plan.times)} (the price is of all epochs)"
        lines += ["", textwrap.fill(text, 80, subsequent_indent=" " * 9)]
    lines += ["", _ledger(costs.ledger), *disk_lines(costs.disk, arguments.keep, question.study)]
    return "\n".join(lines).rstrip().splitlines()


def _ledger(size: LedgerSize) -> str:
    """Say how large the file will be, and what is lost where logits are not kept as they are."""
    text = f"ledger   about {spell_size(size.total_bytes)} when all is finished"
    shapes = [f"{_count(n_rows, 'row')} x {_count(n_labels, 'label')}" for n_rows, n_labels in size.shapes]
    matrices = f"{_count(size.n_trials, 'trial')} x {' and '.join(shapes)}"
    if size.kept == "none":
        text += (
            f", without logits ({matrices} would be {spell_size(size.full_bytes)}): no cells are compared row by row"
        )
    else:
        text += f"; {spell_size(size.logits_bytes)} of it are logits, as {size.kept} ({matrices})"
    if size.kept == "float16":
        text += f"; as float32 they would be {spell_size(size.full_bytes)}. In float16 {HALF_LOSS}"
    return textwrap.fill(text, 80, subsequent_indent=" " * 9)


def _price(question: Question, costs: Costs) -> list[str]:
    """Say what the sweep takes, and what is left of it where it has begun."""
    if costs.whole is None:
        lines = no_price_lines(costs.n_priced, costs.n_groups, costs.n_stage_groups)
    else:
        lines = price_lines(costs.whole)
        if memory := memory_lines(costs.whole.groups, costs.whole.prices):
            lines += ["", *memory]
    if costs.pending is not None:
        n_done = len(question.plan.trials) - len(costs.pending)
        line = f"study {question.study.folder}: {n_done} of these trials need no run"
        left = costs.left
        lines += ["", line if left is None else f"{line}, the others about {seconds_text(left.wall_seconds)}"]
    return lines


def _about(plan: Plan, made: set[str]) -> list[str]:
    task, fixed = plan.task, plan.space.fixed
    about = [("" if number else "task", text) for number, text in enumerate([*task_texts(task), *task.notes])]
    for card in plan.cards.values():
        about.append(("encoder", f"{card.name}: {card.family}, {card.n_layers} layers, {card.identity[:18]}"))
        about += [("", note) for note in plan.encoder_notes.get(card.name, ())]
    about += [("", text) for text in _ids(plan)]
    about += [("" if number else "texts", text) for number, text in enumerate(read_lines(plan.texts))]
    asked = {name: value for name, value in with_lengths(fixed, plan.texts).items() if name != "encoder"}
    about.append(("fixed", _settings(asked, plan) or "nothing: the defaults of the recipe"))
    about += _design(plan)
    about += [("" if number else "tests", text) for number, text in enumerate(_tests(plan))]
    steps = sorted({cell.recipe.total_steps(cell.rows) for cell in plan.cells})
    about.append(("steps", f"{' or '.join(map(str, steps))} a trial"))
    about += [("" if number else "stages", text) for number, text in enumerate(stage_texts(plan, made))]
    about += [("warning", text) for text in rate_warnings(plan)]
    about += [("caution", text) for text in text_cautions(plan.texts, "mild")]
    return [
        textwrap.fill(text, 80, initial_indent=f"{label:<9}", subsequent_indent=" " * 9)
        for label, text in about
        if text
    ]


def _ids(plan: Plan) -> list[str]:
    """Say how many ids are tokens, for each count that it takes to be one."""
    n_tokens = {card.ids.recipe.min_count: len(card.ids.tokens) for card in plan.starts.values() if card.ids}
    return [
        f"of {len(plan.task.id_counts):,} ids, the {n:,} that occur {least} times or more are tokens of their own"
        for least, n in sorted(n_tokens.items())
    ]


def _design(plan: Plan) -> list[tuple[str, str]]:
    space, n_asked = plan.space, len(plan.cells) + len(plan.excluded)
    text = f"{design_text(space.design.kind, space.design.resolution)}: "
    n_combinations = space.n_combinations
    if n_combinations is None:
        text += f"{_count(n_asked, 'cell')} of a space without end"
    elif space.design.kind == "list":
        text += f"{_count(n_asked, 'row')} (the factors have {_count(n_combinations, 'combination')})"
    elif n_asked < n_combinations:
        text += f"{n_asked} of {_count(n_combinations, 'combination')}"
    else:
        text += _count(n_asked, "combination")
    if space.design.resolution is None:
        return [("design", text)]
    aliases = alias_texts([factor.column for factor in space.factors], space.design.resolution)
    what = "main effects and two-factor interactions"
    told = f"{what} that it cannot tell apart: {'; '.join(aliases)}" if aliases else f"it tells all {what} apart"
    return [("design", text), ("", told)]


def _tests(plan: Plan) -> list[str]:
    """Say what the finished study will test. Cells that share their trials count once."""
    factors = plan.space.factors
    columns = {factor.name: factor.column for factor in factors}
    knobs = {factor.name: factor.knobs for factor in factors}
    inert = inert_factors(knobs, [(cell.levels, cell.recipe.model_dump()) for cell in plan.cells])
    distinct = {tuple(trial.id for trial in cell.trials): cell.levels for cell in reversed(plan.cells)}
    # Rows of a list that differ in their seeds alone are more runs of one recipe.
    distinct = {tuple(levels.values()): levels for levels in distinct.values()}
    return planned_texts(
        [Factor(one.column, tuple(level.label for level in plan.levels_of(one)), one.baseline) for one in factors],
        [{columns[name]: label for name, label in levels.items()} for levels in reversed(distinct.values())],
        min(len(cell.trials) for cell in plan.cells),
        [columns[name] for name in inert],
    )


def _factors(plan: Plan) -> list[str]:
    lines = ["factors  (* marks the baseline level)"]
    factors = plan.space.factors
    name_width = max(len(factor.column) for factor in factors)
    label_width = max((len(level.label) for factor in factors for level in factor.levels), default=0)
    for factor in factors:
        if factor.range is not None:
            lines.append(f"  {factor.column:<{name_width}}  {factor.range} (baseline {factor.baseline})")
        for level in factor.levels:
            mark = "*" if level.label == factor.baseline else " "
            sets = _settings(level.knobs, plan)
            head = f"  {factor.column:<{name_width}}  {level.label:>{label_width}}{mark} "
            lines.append(textwrap.fill(sets, 80, initial_indent=head, subsequent_indent=" " * len(head)))
    return lines


def _settings(values: Mapping[str, object], plan: Plan) -> str:
    """Spell settings; of a share of the encoder's layers, also how many it is."""
    return ", ".join(f"{name} = {label_of(value)}{_layers(value, plan)}" for name, value in values.items())


def _layers(value: object, plan: Plan) -> str:
    if not is_share(value):
        return ""
    counts = [f"{whole_layers(str(value), depth)} of {depth}" for depth in plan.depths]
    return f" ({', '.join(counts)} layers)"


def _cells(plan: Plan, *, list_all: bool) -> list[str]:
    design = plan.space.design
    lines = [f"{_count(len(plan.cells), 'cell')} x {_times(plan)} = {_count(len(plan.trials), 'trial')}"]
    is_list = design.kind == "list"
    seeds = seeds_by_row(design.rows, design.seeds)
    if not is_list and len(plan.trials) < len(plan.cells) * len(design.repetitions):
        lines[0] += " (cells that differ only in dead knobs share theirs)"
    shown = plan.cells if list_all or len(plan.cells) <= N_LISTED else plan.cells[:10]
    first = "" if seeds else design.repetitions[0].name(design.repetitions)
    trial = f"trial ({first})" if first else "trial"
    header = ("index", *([ROW] if is_list else []), *(factor.column for factor in plan.space.factors), trial)
    rows = (
        (str(cell.index), *([cell.row] if is_list else []), *cell.levels.values(), cell.trials[0].short_id)
        for cell in shown
    )
    lines.append(Table(header, tuple(tuple(map(Cell, row)) for row in rows)).plain_text())
    if len(shown) < len(plan.cells):
        lines.append(f"... and {len(plan.cells) - len(shown)} more (--all lists them)")
    if seeds:
        lines.append(_wrapped(_seeds_text(seeds)))
    for group in plan.same_rows:
        names = " = ".join(cell.row for cell in group)
        lines.append(_wrapped(f"the same recipe, and so the same trials: {names}"))
    return lines + _dead(plan)


def _times(plan: Plan) -> str:
    """Say how often a cell is run: rows of a list may name seeds of their own, and more or fewer of them."""
    n_folds = plan.space.design.folds
    n_seeds = sorted({len(cell.trials) // (n_folds or 1) for cell in plan.cells})
    seeds = _count(n_seeds[0], "seed") if len(n_seeds) == 1 else f"{n_seeds[0]} to {n_seeds[-1]} seeds"
    return seeds + (f" x {n_folds} folds" if n_folds else "")


def _seeds_text(seeds: Mapping[str, str]) -> str:
    """Say which rows of a list have which seeds.

    >>> _seeds_text({"a": "0, 1", "b": "42", "c": "0, 1"})
    'seeds: 0, 1 (a, c); 42 (b)'
    """
    rows: dict[str, list[str]] = {}
    for row, several in seeds.items():
        rows.setdefault(several, []).append(row)
    return "seeds: " + "; ".join(f"{several} ({', '.join(names)})" for several, names in rows.items())


def _dead(plan: Plan) -> list[str]:
    """Say which knobs cannot act, those of one reason together."""
    counts = Counter((name, reason) for cell in plan.cells for name, reason in cell.dead.items())
    alike: dict[tuple[str, int], list[str]] = {}
    for (name, reason), count in counts.items():
        alike.setdefault((reason, count), []).append(name)
    return [
        _wrapped(f"{', '.join(names)} cannot act in {_count(n, 'cell')}: {why} (on_dead = {plan.space.design.on_dead})")
        for (why, n), names in alike.items()
    ]


def _left_out(plan: Plan) -> list[str]:
    counts = Counter(cell.why for cell in plan.excluded)
    lines = []
    for rule in plan.space.rules:
        rows = [cell.row for cell in plan.excluded if cell.row and cell.why == rule.why]
        named = f" ({', '.join(rows)})" if rows else ""
        lines.append(_wrapped(f"rule `{rule.skip}` leaves out {_count(counts[rule.why], 'cell')}{named}: {rule.why}"))
    return lines


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 80, subsequent_indent="  ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
