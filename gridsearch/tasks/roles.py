"""Which column of an unknown table is the text, which its pair, which the label: rules of thumb, shown to the user."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from gridsearch.errors import RequestError
from gridsearch.recipe.trial_facts import LabelKind
from gridsearch.tasks.columns.kinds import are_numbers
from gridsearch.tasks.columns.labels import READ_APART, several_in_a_cell
from gridsearch.tasks.columns.names import are_called_a_pair, told_of_column
from gridsearch.tasks.tables.table import LISTS, Table

N_LABELS_MOST = 200
NO_PAIR = "none"
"""In place of a column: there is no second text."""
LABEL_NAMES = re.compile(
    r"(gold_?)?labels?|class(es)?|target|categor(y|ies)|sentiment|emotion|intent|topic|quality|polarity|y|"
    r"is_duplicate|标签|标注|类别|分类|类型|情感|情绪|意图|极性"
)
LIKE_LABEL_NAMES = re.compile(
    r"(.*[_ .-])?(label|class|category|target|sentiment|ratings?|stars?|scores?|grade|stance|verdict)|"
    r"(label|class|category)[_ -]?(id|idx|name|text)|overall|评分|星级|打分"
)
"""Names of columns that are the label where no other one is called so."""
SEVERAL_NAMES = re.compile(r"(.*[_ -])?(labels|tags|topics|categories|classes|genres|emotions|keywords)|标签|类别")
"""Names of columns that hold several labels in a cell."""
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

    @property
    def is_no_label(self) -> str:
        """What the column is instead of a label, by its name or its values; empty where nothing says so."""
        return told_of_column(self.plain_name, list(self.counts))

    @property
    def plain_name(self) -> str:
        """The name as a person would spell it, in small letters; nothing where columns are counted."""
        return "" if self.name.startswith("column ") else self.name.strip("'\"").strip().lower()

    def gist(self) -> str:
        """Return the column with what it is, for a sentence that names several."""
        n_distinct = len(self.counts)
        if is_no_label := self.is_no_label:
            what = is_no_label
        elif n_distinct == len(self.values):
            what = "different in each row"
        elif n_distinct == 1:
            what = "the same in each row"
        else:
            what = f"{n_distinct} different values"
        return f"{self.name} ({what})"

    def describe(self) -> str:
        """Return the column with what it holds, for an error that has to show all columns."""
        return f"{self.name} ({len(self.counts)} different values, such as {shorten(self.values[0])!r})"


@dataclass(frozen=True)
class Roles:
    """The columns that were chosen, and the ``others``. ``by_name``: the label's own name says that it is one."""

    text: Profile
    pair: Profile | None
    label: Profile
    others: tuple[Profile, ...] = ()
    by_name: bool = True
    further_labels: tuple[Profile, ...] = ()

    @property
    def labels(self) -> tuple[Profile, ...]:
        """The columns of the labels: one, or one a label."""
        return (self.label, *self.further_labels)


@dataclass(frozen=True)
class Wanted:
    """What a user says of a table, in place of a guess: columns, each by name or by position from 0.

    ``pair`` may be ``"none"``. ``header`` tells whether the first row names the columns; ``drop_unlabelled`` leaves out
    the rows that have no label. ``kind`` is what labels are; ``further_labels`` are columns of more labels than one,
    and ``separator`` stands between several labels of one cell. ``metric`` is what the task is judged by.
    """

    text: str | None = None
    pair: str | None = None
    label: str | None = None
    kind: LabelKind = "class"
    further_labels: tuple[str, ...] = ()
    separator: str | None = None
    header: bool | None = None
    drop_unlabelled: bool = False
    metric: str | None = None


GUESS_ALL = Wanted()


def shorten(text: str, n_chars: int = 40) -> str:
    """Return one line of at most so many characters.

    >>> shorten("a long\\ntext", 6)
    'a lon…'
    """
    line = " ".join(text.split())
    return line if len(line) <= n_chars else line[: n_chars - 1] + "…"


def profiles_of(table: Table, *, with_lists: bool = False) -> list[Profile]:
    """Describe every column, ``with_lists`` those of lists too.

    It is named where its name is the only one of its kind, and counted otherwise.
    """
    unique = table.named and len(set(table.names)) == len(table.names)
    return [
        Profile(name if unique else index, repr(name) if table.named else f"column {index}", values)
        for index, (name, values) in enumerate(zip(table.names, table.values, strict=True))
        if index not in table.no_texts or (with_lists and table.no_texts[index].startswith(LISTS))
    ]


def guess_roles(table: Table, wanted: Wanted = GUESS_ALL) -> Roles:
    """Choose the columns that nobody names.

    A label has no empty value, unless rows without one are left out, or the column is called a label.

    Raises:
        RequestError: none can be the label, or none the text; or the table lacks a column that is wanted.
    """
    profiles = profiles_of(table, with_lists=wanted.kind == "multilabel")
    asked = {"text": wanted.text, "pair": wanted.pair, "label": wanted.label}
    named = {role: _named(table, profiles, role, key) for role, key in asked.items() if key and key != NO_PAIR}
    if len(set(map(id, named.values()))) < len(named):
        raise RequestError("--text, --pair and --label must name three different columns")
    further = tuple(_named(table, profiles, "label", key) for key in wanted.further_labels)
    left = [profile for profile in profiles if not any(profile is one for one in (*named.values(), *further))]
    label = named.get("label") or _LABEL_OF[wanted.kind](table, left, wanted.drop_unlabelled)
    texts = [profile for profile in left if profile is not label and profile.could_be_text]
    if label is None or not (texts or "text" in named):
        raise RequestError(_sentence(table, profiles, "label" if label is None else "text"))
    text, pair = named.get("text"), named.get("pair")
    if text is None:
        text, guessed = _texts(table, texts)
        pair = pair or guessed
    elif pair is None:
        pair = _beside(table, text, texts)
    if wanted.pair == NO_PAIR:
        pair = None
    elif pair is not None and "text" not in named:
        text, pair = sorted((text, pair), key=profiles.index)
    used = (text, pair, label, *further)
    others = tuple(profile for profile in profiles if not any(profile is one for one in used))
    by_name = "label" in named or any(_is_called(label, names) for names in (LABEL_NAMES, LIKE_LABEL_NAMES))
    return Roles(text, pair, label, others, by_name, further)


def _named(table: Table, profiles: Sequence[Profile], role: str, key: str) -> Profile:
    """Return the column that a user names. Raises RequestError where there is none such."""
    place = table.find(key)
    if place is None and key.isdecimal():
        place = table.find(int(key))
    if place is None:
        shown = ", ".join(profile.name for profile in profiles)
        raise RequestError(f"--{role}: {table.path} has no column {key!r}; its columns: {shown}")
    return profiles[place]


def _texts(table: Table, texts: Sequence[Profile]) -> tuple[Profile, Profile | None]:
    """Return the text, and the one beside it that makes it a pair."""
    longest = max(texts, key=lambda profile: (_is_called(profile, TEXT_NAMES), _weight(profile)))
    for one, other in combinations(texts, 2):
        if longest in (one, other) and are_called_a_pair(one.plain_name, other.plain_name):
            return one, other
    return longest, _beside(table, longest, texts)


def _beside(table: Table, text: Profile, texts: Sequence[Profile]) -> Profile | None:
    """Return the second text of a pair; None where nothing looks like one."""
    rest = [profile for profile in texts if profile is not text]
    others = [profile for profile in rest if are_called_a_pair(text.plain_name, profile.plain_name)]
    others = others or [profile for profile in rest if _could_be_pair(table, text, profile)]
    return max(others, key=lambda profile: (_is_called(profile, TEXT_NAMES), _weight(profile)), default=None)


def _label(table: Table, profiles: Sequence[Profile], drop_unlabelled: bool) -> Profile | None:
    """Prefer a column that is called so; then the fewest values; then the last column."""
    _refuse_label_of_lists(table)
    several = [profile for profile in profiles if 1 < len(profile.counts) <= max(2, len(profile.values) / 2)]
    for names in (LABEL_NAMES, LIKE_LABEL_NAMES):
        if called := [profile for profile in several if _is_called(profile, names)]:
            return called[0]
    fit = [one for one in profiles if one.could_be_label and not one.is_no_label]
    fit = [one for one in fit if drop_unlabelled or "" not in one.counts]
    return min(reversed(fit), key=lambda profile: len(profile.counts), default=None)


def _several(table: Table, profiles: Sequence[Profile], drop_unlabelled: bool) -> Profile | None:
    """Prefer a column that is called a label; then one of lists, or of several labels in a cell; then the last one."""
    for names in (LABEL_NAMES, LIKE_LABEL_NAMES, SEVERAL_NAMES):
        if called := [profile for profile in profiles if _is_called(profile, names)]:
            return called[0]
    fit = [profile for profile in profiles if several_in_a_cell(list(profile.counts))]
    return fit[-1] if fit else None


def _score(table: Table, profiles: Sequence[Profile], drop_unlabelled: bool) -> Profile | None:
    """Prefer a column of numbers that is called a label; then the last one that is no id."""
    fit = [one for one in profiles if are_numbers(one.values)]
    for names in (LIKE_LABEL_NAMES, LABEL_NAMES):
        if called := [profile for profile in fit if _is_called(profile, names)]:
            return called[0]
    fit = [one for one in fit if not one.is_no_label]
    return fit[-1] if fit else None


_LABEL_OF = {"class": _label, "multilabel": _several, "score": _score}


def _refuse_label_of_lists(table: Table) -> None:
    """A column that is called a label is the label: where it holds no text, no other column is taken in its place."""
    names = [name for name in table.names if LABEL_NAMES.fullmatch(name.strip().lower())] if table.named else []
    if names and {table.find(name) for name in names} <= table.no_texts.keys():
        table.column(names[0], "label")


def _is_called(profile: Profile, names: re.Pattern[str]) -> bool:
    return bool(names.fullmatch(profile.plain_name))


def _weight(profile: Profile) -> float:
    return profile.mean_chars * len(profile.counts) / len(profile.values)


def _could_be_pair(table: Table, text: Profile, other: Profile) -> bool:
    """Ask for texts of comparable length; where columns have names, for a name like the first one's or a text's."""
    if not 0.1 < (other.mean_chars + 1) / (text.mean_chars + 1) < 10 or len(other.counts) < 0.2 * len(other.values):
        return False
    return not table.named or _is_called(other, TEXT_NAMES) or not _is_called(text, TEXT_NAMES)


def _sentence(table: Table, profiles: Sequence[Profile], role: str) -> str:
    rules = {
        "label": "a label column has two values or more, none empty, each comes back, and they are no ids or languages",
        "text": "a text column has many different values that are no numbers, dates or identifiers",
    }
    columns = "; ".join([*(profile.describe() for profile in profiles), *_described_lists(table)])
    lacking = [profile for profile in profiles if profile.could_be_label and "" in profile.counts]
    if role == "label" and lacking:
        nearly = min(lacking, key=lambda profile: profile.counts[""])
        rule = f"{nearly.name} would, but {nearly.counts['']} of its {len(nearly.values)} rows are empty"
        return f"no column of {table.path} looks like the label: {rule}; --drop-unlabelled leaves these rows out"
    several = [text for profile in profiles if (text := several_in_a_cell(list(profile.counts))) and role == "label"]
    told = f"; {several[0]}, and {READ_APART}" if several else ""
    numbers = [profile.name for profile in profiles if are_numbers(profile.values) and not profile.is_no_label]
    told += f"; {numbers[-1]} holds numbers, which --kind score predicts" if numbers and role == "label" else ""
    remedy = f"name it: --{role} COLUMN, with its name or its position from 0"
    return f"no column of {table.path} looks like the {role}: {rules[role]}; its columns: {columns}{told}; {remedy}"


def _described_lists(table: Table) -> list[str]:
    return [f"{table.names[place]!r} ({held})" for place, held in table.no_texts.items()]
