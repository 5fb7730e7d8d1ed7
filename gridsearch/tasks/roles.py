"""Which column of an unknown table is the text, which its pair, which the label: rules of thumb, shown to the user."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gridsearch.errors import RequestError
from gridsearch.tasks.tables.table import Table

N_LABELS_MOST = 200
LABEL_NAMES = re.compile(
    r"(gold_?)?labels?|class(es)?|target|categor(y|ies)|sentiment|emotion|intent|topic|quality|polarity|y|"
    r"is_duplicate|标签|标注|类别|分类|类型|情感|情绪|意图|极性"
)
TEXT_NAMES = re.compile(
    r".*(text|sentence|content|review|comment|question|query|premise|hypothesis|string|tweet|utterance|"
    r"文本|内容|正文|评论|句子|问题|标题).*"
)
_DATE = re.compile(r"\d{1,4}[-/.年]\d{1,2}[-/.月].*")
_ADDRESS = re.compile(r"https?://.*")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_:./+-]*\d[A-Za-z0-9_:./+-]*|")


@dataclass(frozen=True)
class Profile:
    """What can be said of a column from its strings alone."""

    key: int | str
    name: str
    values: tuple[str, ...]

    @cached_property
    def counts(self) -> Counter[str]:
        """Return how often each value occurs, without the space around it."""
        return Counter(value.strip() for value in self.values)

    def without_empty(self) -> "Profile":
        """Return the column with the values that are there."""
        return Profile(self.key, self.name, tuple(value for value in self.values if value.strip()))

    @property
    def mean_chars(self) -> float:
        """Return the mean length of a value."""
        return sum(map(len, self.values)) / len(self.values)

    @property
    def could_be_label(self) -> bool:
        """Tell whether the values are few and come back, those that are there."""
        n_distinct, at_most = len(self.counts.keys() - {""}), min(N_LABELS_MOST, max(len(self.values) // 2, 2))
        return 2 <= n_distinct <= at_most

    @property
    def could_be_text(self) -> bool:
        """Tell whether the values are mostly different, and no numbers, identifiers, dates or addresses."""
        n_other = sum(any(form.fullmatch(value) for form in (_IDENTIFIER, _DATE, _ADDRESS)) for value in self.values)
        return len(self.counts) > 0.1 * len(self.values) and n_other < 0.5 * len(self.values)

    def describe(self) -> str:
        """Return the column with what it holds, for an error that has to show all columns."""
        return f"{self.name} ({len(self.counts)} different values, such as {shorten(self.values[0])!r})"


@dataclass(frozen=True)
class Roles:
    """The columns that were chosen."""

    text: Profile
    pair: Profile | None
    label: Profile


def shorten(text: str, n_chars: int = 40) -> str:
    """Return one line of at most so many characters.

    >>> shorten("a long\\ntext", 6)
    'a lon…'
    """
    line = " ".join(text.split())
    return line if len(line) <= n_chars else line[: n_chars - 1] + "…"


def profiles_of(table: Table) -> list[Profile]:
    """Describe every column. It is named where its name is the only one of its kind, and counted otherwise."""
    unique = table.named and len(set(table.names)) == len(table.names)
    return [
        Profile(name if unique else index, repr(name) if table.named else f"column {index}", values)
        for index, (name, values) in enumerate(zip(table.names, table.values, strict=True))
        if index not in table.no_texts
    ]


def guess_roles(table: Table, drop_unlabelled: bool = False) -> Roles:
    """Choose the columns; raise RequestError where none can be the label, or none the text.

    A label has no empty value, unless rows without one are left out, or the column is called a label.
    """
    profiles = profiles_of(table)
    label = _label(table, profiles, drop_unlabelled)
    texts = [profile for profile in profiles if profile is not label and profile.could_be_text]
    if label is None or not texts:
        raise RequestError(_sentence(table, profiles, "label" if label is None else "text"))
    longest = max(texts, key=lambda profile: (_is_called(table, profile, TEXT_NAMES), _weight(profile)))
    others = [profile for profile in texts if profile is not longest and _could_be_pair(table, longest, profile)]
    if not others:
        return Roles(longest, None, label)
    second = max(others, key=lambda profile: (_is_called(table, profile, TEXT_NAMES), _weight(profile)))
    first, second = sorted((longest, second), key=profiles.index)
    return Roles(first, second, label)


def _label(table: Table, profiles: Sequence[Profile], drop_unlabelled: bool) -> Profile | None:
    """Prefer a column that is called so; then the fewest values; then the last column."""
    _refuse_label_of_lists(table)
    called = [profile for profile in profiles if _is_called(table, profile, LABEL_NAMES) and len(profile.counts) > 1]
    named = [profile for profile in called if len(profile.counts) <= max(2, len(profile.values) / 2)]
    if named:
        return named[0]
    fit = [one for one in profiles if one.could_be_label and (drop_unlabelled or "" not in one.counts)]
    return min(reversed(fit), key=lambda profile: len(profile.counts), default=None)


def _refuse_label_of_lists(table: Table) -> None:
    """A column that is called a label is the label: where it holds no text, no other column is taken in its place."""
    names = [name for name in table.names if LABEL_NAMES.fullmatch(name.strip().lower())] if table.named else []
    if names and {table.find(name) for name in names} <= table.no_texts.keys():
        table.column(names[0], "label")


def _is_called(table: Table, profile: Profile, names: re.Pattern[str]) -> bool:
    return table.named and bool(names.fullmatch(profile.name.strip("'\"").strip().lower()))


def _weight(profile: Profile) -> float:
    return profile.mean_chars * len(profile.counts) / len(profile.values)


def _could_be_pair(table: Table, text: Profile, other: Profile) -> bool:
    """Ask for texts of comparable length; where columns have names, for a name like the first one's or a text's."""
    if not 0.1 < (other.mean_chars + 1) / (text.mean_chars + 1) < 10 or len(other.counts) < 0.2 * len(other.values):
        return False
    return not table.named or _is_called(table, other, TEXT_NAMES) or not _is_called(table, text, TEXT_NAMES)


def _sentence(table: Table, profiles: Sequence[Profile], role: str) -> str:
    rules = {
        "label": "a label column has two values or more, none empty, and each comes back",
        "text": "a text column has many different values that are no numbers, dates or identifiers",
    }
    columns = "; ".join([*(profile.describe() for profile in profiles), *_described_lists(table)])
    lacking = [profile for profile in profiles if profile.could_be_label and "" in profile.counts]
    if role == "label" and lacking:
        nearly = min(lacking, key=lambda profile: profile.counts[""])
        rule = f"{nearly.name} would, but {nearly.counts['']} of its {len(nearly.values)} rows are empty"
        return f"no column of {table.path} looks like the label: {rule}; --drop-unlabelled leaves these rows out"
    remedy = "write the task's TOML by hand, with text and label under [columns], each a name or a position from 0"
    return f"no column of {table.path} looks like the {role}: {rules[role]}; its columns: {columns}; {remedy}"


def _described_lists(table: Table) -> list[str]:
    return [f"{table.names[place]!r} ({held})" for place, held in table.no_texts.items()]
