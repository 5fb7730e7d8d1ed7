"""What becomes of the training rows: pairs that are added to them, and those that are left out."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gridsearch.recipe.recipe import knobs
from gridsearch.study.manifest import AddedEntry
from reports.formats.markdown import Section, code, table, wrap
from reports.language.say import say, sentences
from reports.sections.context import PageSection

NEUTRAL = {name: knobs()[name].neutral for name in ("closure", "closure_ratio", "outside_pairs")}


class AddedPairs(PageSection):
    """The rows of a fold before and after, by label, for each way in which pairs are added."""

    def format(self) -> str:
        """Return the section; empty where no trial adds pairs."""
        entries = self.study.about.added_pairs
        if not entries:
            return ""
        folded = self.study.is_folded
        header = [say("added by"), *([say("fold")] if folded else []), say("positive"), say("negative")]
        header += [say("in conflict"), say("in dev or test"), say("beyond the ratio")]
        rows = [
            [code(_spelled(one)), *([str(one.fold)] if folded else []), *_labels(one), *_left_out(one)]
            for one in entries
        ]
        return Section(say("Training pairs"), (wrap(self._text(entries)), table(header, rows))).format()

    def numbers(self) -> dict[str, Any]:
        """Return the counts."""
        return {"added_pairs": [asdict(one) for one in self.study.about.added_pairs]}

    def _text(self, entries: Sequence[AddedEntry]) -> str:
        above = max(one.counts["components_above_cap"] for one in entries)
        return sentences(
            [
                say(
                    "Training rows of each label before and after pairs were added, and how many that could have been "
                    "were left out: they contradict a given pair, or dev or test holds them."
                ),
                say("{n} groups of equal texts are larger than the cap, and were left as they are.", n=above)
                if above
                else "",
            ]
        )


def _spelled(one: AddedEntry) -> str:
    """Name an augmentation by the knobs that are set."""
    knobs = {name: value for name, value in one.knobs.items() if value != NEUTRAL.get(name)}
    if one.knobs["closure"] == "off":
        knobs.pop("closure_cap", None)
    return ", ".join(f"{name} = {value}" for name, value in knobs.items())


def _labels(one: AddedEntry) -> list[str]:
    """Spell the rows before and after, positive and negative."""
    found, outside = [], one.counts["outside_added"]
    for label in ("positive", "negative"):
        before = one.counts[f"given_{label}"]
        after = before + one.counts[f"added_{label}"] + (outside if one.knobs["outside_pairs"] == label else 0)
        found.append(f"{before} -> {after}")
    return found


def _left_out(one: AddedEntry) -> list[str]:
    counts = one.counts
    return [
        str(n) for n in (counts["in_conflict"], counts["judged"] + counts["outside_judged"], counts["beyond_ratio"])
    ]
