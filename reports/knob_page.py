"""The knobs of Recipe, for the terminal and as a page: ``python -m reports.knob_page PAGE`` writes it."""

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from gridsearch.errors import RequestError, one_of
from gridsearch.recipe.knob import NO_NEUTRAL
from gridsearch.recipe.recipe import Recipe, knobs, parse_recipe
from gridsearch.recipe.trial_facts import TrialFacts
from reports.formats.markdown import Section, bullets, code, escape, paragraphs, wrap

GROUPS: Final = {
    "encoder": "The encoder and its input",
    "reinit_pooler": "What is changed before training",
    "encoder_dropout": "Dropout",
    "vocabulary.min_count": "Anonymised ids: how they become tokens",
    "pretraining.objective": "Pretraining, before the trial",
    "pair_swap": "What is made of the training rows",
    "parts.training": "Several parts: how they are learned together",
    "pooling": "From token states to logits",
    "class_weights": "The loss",
    "adversarial": "The attack: extra passes on perturbed word embeddings",
    "epochs": "The optimizer and its schedule",
    "lookahead_steps": "Which weights are evaluated and on what, and when training ends",
    "precision": "Arithmetic",
}
"""The first knob of each group, and what the group is called: the comments in gridsearch/recipe/."""

_ORDINARY = TrialFacts(
    "bert", 12, has_pooler=True, max_tokens=512, n_train_rows=1000, label_counts=(400, 600), dropout=0.1
)
_VALUES_TO_TRY: Final = (True, 1, 2, 0.25, [1.0, 2.0], [1, 2], 64, "a text")


@dataclass(frozen=True)
class KnobText:
    """What is told of a knob. ``idle`` says why it cannot act while all others keep their defaults, or is empty."""

    name: str
    default: str
    values: str
    meaning: str
    source: str
    acts_always: bool
    idle: str

    def notes(self, told: str = "") -> list[str]:
        """Return the sentences below the meaning; ``told`` is a reason that stands above already."""
        return [
            f"Values: {self.values}.",
            *(["No neutral value."] if self.acts_always else []),
            *([f"Source: {self.source}."] if self.source else []),
            *([f"With all else at its default it cannot act: {self.idle}."] if self.idle and self.idle != told else []),
        ]


@cache
def knob_texts() -> Mapping[str, KnobText]:
    """Describe every knob, in the order of Recipe."""
    schemas = Recipe.model_json_schema()["properties"]
    defaults = Recipe()
    return {
        name: KnobText(
            name=name,
            default=json.dumps(getattr(defaults, name)),
            values=values_text(schemas[name]),
            meaning=knob.meaning,
            source=knob.source,
            acts_always=knob.neutral is NO_NEUTRAL,
            idle=_idle(name, schemas[name]),
        )
        for name, knob in knobs().items()
    }


def values_text(schema: Mapping[str, Any]) -> str:
    """Spell a JSON schema of pydantic's in words.

    >>> values_text({"type": "number", "minimum": 0, "exclusiveMaximum": 1}), values_text({"enum": ["a", "b"]})
    ('a number from 0, below 1', '"a", "b"')
    """
    if "anyOf" in schema:
        return ", ".join(values_text(branch) for branch in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if "type" not in schema:
        return "any value"
    if schema["type"] == "object":
        return "a table"
    if schema["type"] == "boolean":
        return "true, false"
    if schema["type"] == "array":
        items = values_text(schema["items"])
        return "a list" if items == "any value" else f"a list, each item {items}"
    if schema["type"] == "string":
        return str(schema.get("description", "a text"))
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "up to", "exclusiveMaximum": "below"}
    bounds = [f"{word} {schema[key]}" for key, word in words.items() if key in schema]
    noun = "a whole number" if schema["type"] == "integer" else "a number"
    return f"{noun} {', '.join(bounds)}".strip()


def _idle(name: str, schema: Mapping[str, Any]) -> str:
    """Say why a knob cannot act alone, on an ordinary encoder and single texts."""
    knob = knobs()[name]
    if knob.cannot_act is None:
        return ""
    named = [value for branch in (schema, *schema.get("anyOf", ())) for value in branch.get("enum", ())]
    for value in (*named, *_VALUES_TO_TRY):
        try:
            recipe = parse_recipe({name: value}, "a try")
        except RequestError:
            continue
        if getattr(recipe, name) != knob.neutral:
            return knob.cannot_act(recipe, _ORDINARY) or ""
    return ""


def grouped() -> dict[str, list[KnobText]]:
    """Put the knobs under the names of their groups."""
    groups: dict[str, list[KnobText]] = {}
    for name, text in knob_texts().items():
        if name in GROUPS:
            heading = GROUPS[name]
        groups.setdefault(heading, []).append(text)
    return groups


def _idle_together(texts: Sequence[KnobText]) -> str:
    """Return why most knobs of a group cannot act, where it is one reason: it is told once."""
    (reason, count), *_ = Counter(text.idle for text in texts).most_common(1)
    return reason if 2 * count > len(texts) else ""


def _idle_note(texts: Sequence[KnobText], reason: str) -> str:
    which = "none" if texts[0].idle else "none but the first"
    return f"With all else at its default, {which} can act: {reason}." if reason else ""


def recipe_page() -> str:
    """Return the page that stands in docs/."""
    intro = (
        "Every knob of one fine-tune, as [gridsearch/recipe](../gridsearch/recipe) declares it; `make docs` writes "
        "this page. The default of a knob is its neutral value, as good as its absence, unless it has none."
    )
    sections = [_section(title, texts).format() for title, texts in grouped().items()]
    return paragraphs(["# Knobs", wrap(intro), *sections]) + "\n"


def _section(title: str, texts: Sequence[KnobText]) -> Section:
    told = _idle_together(texts)
    return Section(title, (wrap(escape(_idle_note(texts, told))), bullets(_item(text, told) for text in texts)))


def _item(text: KnobText, told: str) -> str:
    return f"{code(f'{text.name} = {text.default}')}: {escape(' '.join([f'{text.meaning}.', *text.notes(told)]))}"


def knob_facts(name: str | None) -> list[dict[str, Any]]:
    """Return all knobs, or one, as ``gridsearch knobs --json`` tells them. Raises RequestError for an unknown name."""
    schemas = Recipe.model_json_schema()["properties"]
    told = [_named(name)] if name is not None else list(knob_texts().values())
    return [
        {
            "name": text.name,
            "default": getattr(Recipe(), text.name),
            "values": text.values,
            "schema": {key: value for key, value in schemas[text.name].items() if key not in ("title", "default")},
            "meaning": text.meaning,
            "source": text.source or None,
            "cannot_act_alone": text.idle or None,
        }
        for text in told
    ]


def _named(name: str) -> KnobText:
    if name not in knob_texts():
        raise RequestError(one_of("knob", name, list(knob_texts())))
    return knob_texts()[name]


def knobs_for_terminal(name: str | None, width: int = 80) -> str:
    """Return what ``gridsearch knobs`` prints: all of them, or one. Raises RequestError for an unknown name."""
    if name is not None:
        return _paragraph(_named(name), width)
    return "\n\n".join(_group(title, texts, width) for title, texts in grouped().items())


def _group(title: str, texts: Sequence[KnobText], width: int) -> str:
    told = _idle_together(texts)
    note = textwrap.fill(_idle_note(texts, told), width)
    return paragraphs([f"{title}\n{'=' * len(title)}", note, *(_paragraph(text, width, told) for text in texts)])


def _paragraph(text: KnobText, width: int, told: str = "") -> str:
    lines = [f"{text.name} = {text.default}"]
    for sentence in (f"{text.meaning}.", *text.notes(told)):
        lines.append(textwrap.fill(sentence, width, initial_indent="    ", subsequent_indent="    "))
    return "\n".join(lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(recipe_page(), encoding="utf-8")
