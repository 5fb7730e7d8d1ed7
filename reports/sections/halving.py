"""The section of a successive halving, and what other sections say of one."""

from collections.abc import Sequence
from typing import Any

from gridsearch.planning.rungs import Standing
from reports.formats.markdown import Section, escape, plural, table, wrap
from reports.formats.table import decimals
from reports.language.say import say, sentences
from reports.sections.context import PageSection
from reports.sections.effects.effects_text import runs_word
from reports.study.view import StudyRows


def seen_after_text(study: StudyRows) -> str:
    """Say at which epoch results are looked at; empty where they are those at the end."""
    if study.seen_after is None:
        return ""
    n_epochs, total = study.seen_after
    return say(
        "**After {n} of {total} epochs**: the first rung is the only one that has every cell, and an effect at this "
        "point is not yet one at the end. It says nothing of test.",
        n=n_epochs,
        total=total,
    )


def halving_sentence(study: StudyRows) -> str:
    """Say in the summary that not every cell ran to the end, and how many did; empty without a halving."""
    if study.standing is None:
        return ""
    return say(
        "By successive halving, {n} of {cells} ran to the end.",
        n=len(study.ranking),
        cells=plural(len(study.cells), "cell"),
    )


def went_through_text(study: StudyRows) -> str:
    """Say what a choice among those that ran to the end does not see."""
    return say(
        "The choice went through the halving: {cells} were left behind by their first epochs, and the best of them all "
        "may be among these. What went on did so by the luck of the same runs, too, so that its result is optimistic: "
        "run the few best with new seeds before you rely on one.",
        cells=plural(len(study.cells) - len(study.ranking), "cell"),
    )


class HalvingSection(PageSection):
    """How the halving went: its rungs, and where each was cut."""

    def format(self) -> str:
        """Return the section; empty without a halving."""
        standing = self.study.standing
        if standing is None:
            return ""
        header = [say("rung"), say("epochs"), say("cells"), say("worst that went on"), say("best left behind")]
        blocks = (
            wrap(self._how(standing)),
            table(header, self._rungs(standing)),
            wrap(self._slow(standing)),
        )
        return Section(say("Successive halving"), blocks).format()

    def numbers(self) -> dict[str, Any]:
        """Return the rungs and who was on them; null without a halving."""
        standing = self.study.standing
        if standing is None:
            return {"halving": None}
        first = standing.first_epochs
        found = {
            **standing.halving.to_json(),
            "members": [list(indexes) for indexes in standing.members],
            "under_way": len(standing.lacking),
            "effects_after_epochs": first,
            "dev_after_first_rung": {str(cell.index): standing.score(cell.trials, first) for cell in self.study.cells},
        }
        return {"halving": found}

    def _how(self, standing: Standing) -> str:
        halving, n_runs = standing.halving, self.study.n_replicates
        return sentences(
            [
                say(
                    "Every cell runs to epoch {n} of {total}; the best 1/{eta} of them run to the next rung, and so on "
                    "to the last. A rung is cut by the mean of {metric} on dev at its last epoch, whole cells with all "
                    "of their {seeds}. Ties go to the earlier row, and a cell ranks last when a run of it failed or "
                    "its loss is no number.",
                    n=standing.first_epochs,
                    total=halving.n_epochs,
                    eta=halving.eta,
                    metric=escape(self.study.metric),
                    seeds=runs_word(self.study),
                ),
                say(
                    "It takes {cost} of the {full} epochs of all cells.",
                    cost=n_runs * halving.cost,
                    full=n_runs * halving.full_cost,
                ),
                say(
                    "Rung {n} is under way: {there} of {trials} are there.",
                    n=len(standing.members),
                    there=standing.n_trials - len(standing.lacking),
                    trials=plural(standing.n_trials, "trial"),
                )
                if standing.lacking
                else "",
            ]
        )

    def _rungs(self, standing: Standing) -> list[list[str]]:
        rows = []
        for number, rung in enumerate(standing.halving.rungs):
            cut = ["-", "-"]
            if number + 1 < len(standing.members):
                left = sorted(set(standing.members[number]) - set(standing.members[number + 1]))
                cut = self._cut(standing, standing.members[number + 1], left, rung.epochs)
            rows.append([str(number + 1), str(rung.epochs), str(rung.n_cells), *cut])
        return rows

    def _cut(self, standing: Standing, went_on: Sequence[int], left: Sequence[int], epochs: int) -> list[str]:
        """Name the worst cell that went on and the best that did not, with what they were told apart by."""
        sign = -1 if self.study.lower_is_better else 1
        known = {
            cell.index: score
            for cell in self.study.cells
            if (score := standing.score(cell.trials, epochs)) is not None
        }  # fmt: skip
        worst = min((one for one in went_on if one in known), key=lambda one: (sign * known[one], -one), default=None)
        best = max((one for one in left if one in known), key=lambda one: sign * known[one], default=None)
        texts = [
            "-" if one is None else say("{value} (cell {name})", value=decimals(known[one]), name=one)
            for one in (worst, best)
        ]
        if worst is not None and best is not None and known[worst] == known[best]:
            texts[1] += say(", a tie")
        return texts

    def _slow(self, standing: Standing) -> str:
        """Say what the rungs cannot see, and how the first one's order held."""
        halving, ranking = standing.halving, self.study.ranking
        first = standing.first_epochs
        texts = [
            say(
                "A cell that starts slowly is lost in this: after {n} of {total} epochs, tricks that pay late have not "
                "paid yet.",
                n=first,
                total=halving.n_epochs,
            )
        ]
        known = {cell.index: standing.score(cell.trials, first) for cell in ranking}
        if len(ranking) > 1 and not standing.lacking and all(score is not None for score in known.values()):
            sign = 1 if self.study.lower_is_better else -1
            leader = min(sorted(known), key=lambda index: sign * (known[index] or 0.0))
            place = [cell.index for cell in ranking].index(leader) + 1
            texts.append(
                say(
                    "Of the {n} that ran to the end, the best after the first rung, cell {name}, came out as number "
                    "{place}.",
                    n=len(ranking),
                    name=leader,
                    place=place,
                )
            )
        return sentences(texts)
