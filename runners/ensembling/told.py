"""What is told of averages in a terminal, and to programs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from reports.formats.markdown import wrap
from reports.formats.table import Cell, Table, decimals
from reports.sections.ensembles import conclusion, gains_table, naive_text, nesting_text
from reports.statistics.ensembles.results import PLAIN, Method, WhyNot
from runners.ensembling.averages import Averages

MOST_MEMBERS = 20
"""So many members are listed, the best first."""
NAMES = {method: str(method) for method in Method}


def text_of(averages: Averages) -> str:
    """Return all that a terminal shows."""
    return "\n\n".join(_parts(averages)) + "\n"


def _parts(averages: Averages) -> Iterator[str]:
    gathered, found = averages.gathered, averages.found
    if gathered.remarks:
        yield "\n".join(gathered.remarks)
    if found.why_not is WhyNot.TOO_FEW:
        yield wrap(f"Members that are judged: {len(averages.judged)}. No gain can be told below two of them.")
    else:
        yield wrap(f"{found.metric} on {found.n_rows} rows. {nesting_text(found)}")
        yield gains_table(found, found.metric, NAMES).plain_text()
        if averages.gathered.rows.labelling.kind == "score":
            yield wrap(f"Of numbers, {Method.PROBABILITIES} is their mean.")
        yield wrap(f"{conclusion(found, NAMES)} {naive_text(found, NAMES)}")
        yield _members(averages)
    if averages.for_test_alone:
        names = ", ".join(one.name for one in averages.for_test_alone)
        plain = ", ".join(str(method) for method in PLAIN)
        yield wrap(f"Known on test alone, so in the plain means ({plain}) of test, and in no gain: {names}.")
    if scores := averages.test_scores():
        told = ", ".join(f"{method} {decimals(value)}" for method, value in scores.items())
        yield wrap(f"On test, which chose nothing: {told}.")


def _members(averages: Averages) -> str:
    """List the members, the best first, with their scores and what was chosen on all rows."""
    found = averages.found
    finals = {one.method: one.final for one in found.found}
    ranked = sorted(
        range(len(found.members)),
        key=lambda place: found.members[place][1] * (1 if averages.gathered.rows.lower_is_better else -1),
    )
    plain = next((method for method in PLAIN if method in finals), None)
    header = ["member", found.metric]
    header += [] if plain is None else ["in the means"]
    header += [name for method, name in ((Method.WEIGHTED, "weight"), (Method.GREEDY, "picks")) if method in finals]
    rows = []
    for place in ranked[:MOST_MEMBERS]:
        name, value = found.members[place]
        row = [name, decimals(value)]
        row += [] if plain is None else ["x" if finals[plain].weights[place] else ""]
        if (weighted := finals.get(Method.WEIGHTED)) is not None:
            row.append(f"{weighted.weights[place] / sum(weighted.weights):.3f}")
        if (greedy := finals.get(Method.GREEDY)) is not None:
            row.append(f"{greedy.weights[place]:g}" if greedy.weights[place] else "")
        rows.append(tuple(map(Cell, row)))
    more = f"\nand {len(ranked) - MOST_MEMBERS} more" if len(ranked) > MOST_MEMBERS else ""
    return Table(tuple(header), tuple(rows)).plain_text() + more


def numbers_of(averages: Averages) -> dict[str, Any]:
    """Return the same for programs."""
    found, trials = averages.found, averages.gathered.trials
    members = [{"name": name, "trials": trials.get(name, ()), "score": value} for name, value in found.members]
    left_out = {str(method): str(why) for method, why in found.left_out}
    return asdict(found) | {
        "members": members,
        "left_out": left_out,
        "for_test_alone": [one.name for one in averages.for_test_alone],
        "test": {str(method): value for method, value in averages.test_scores().items()},
        "remarks": averages.gathered.remarks,
    }
