"""What binds a study: the facts that its ledger keeps, and why a plan is not the same study grown."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gridsearch.plan.plan import Plan
from gridsearch.space.factor import ROW
from gridsearch.tasks.target import Target, target_of
from gridsearch.tasks.task import POSITIVE


def study_facts(plan: Plan, sources: Mapping[str, object]) -> dict[str, object]:
    """Gather what a study is bound to, and what its page needs to know about the space."""
    space, task = plan.space, plan.task
    return {
        "kind": "trials",
        "space": space.name,
        "title": space.title,
        "space_text": space.text,
        "fixed": space.fixed,
        "design": space.design.model_dump() | ({} if plan.optimised is None else {"kind": "optuna"}),
        "optimised": plan.optimised,
        "halving": None if plan.halving is None else plan.halving.facts(),
        "factors": [
            {
                "name": factor.name,
                "column": factor.column,
                "baseline": factor.baseline,
                "levels": [[level.label, level.knobs] for level in plan.levels_of(factor)],
                **({} if factor.range is None else {"range": asdict(factor.range)}),
            }
            for factor in space.factors
        ],
        "rules": [{"skip": rule.skip, "why": rule.why} for rule in space.rules],
        "task": task.name,
        "task_fingerprint": task.fingerprint,
        "task_kind": task.kind,
        "task_notes": task.notes,
        "task_rows": {
            "train": len(task.train),
            "dev": len(task.dev),
            "test": len(task.test) if task.test else 0,
        },
        "test_is_labelled": task.test is not None and task.test.labels is not None,
        "metric": task.target.name,
        **({} if task.target == target_of(task.metric) else {"target": task.target.metrics}),
        "label_names": task.label_names,
        "positive_label": task.positive_label,
        "n_labels_held": {split: len(held) for split, held in task.labels_held.items()},
        "encoders": {name: card.identity for name, card in plan.cards.items()},
        "encoder_notes": [card.note for card in plan.cards.values() if card.note],
        "sources": sources,
    }


def target(facts: Mapping[str, Any]) -> Target:
    """Return the number that a study selects on. Older ledgers name the metric of their one part alone."""
    pairs = facts.get("target")
    return target_of(facts["metric"]) if pairs is None else Target(tuple((part, metric) for part, metric in pairs))


def positive_label(facts: Mapping[str, Any]) -> str | None:
    """Return the positive one of two labels; None where there are more. Older ledgers do not tell: the second."""
    names = facts["label_names"]
    found: str | None = facts.get("positive_label", names[POSITIVE] if len(names) == 2 else None)
    return found


def position_of_positive(facts: Mapping[str, Any]) -> int:
    """Return where the positive label stands among a study's labels."""
    label = positive_label(facts)
    return POSITIVE if label is None else list(facts["label_names"]).index(label)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Name the first thing in which a plan is no growth of a study."""
    old = {**old, "positive_label": positive_label(old)}
    for key in ("task", "metric", "positive_label", "task_fingerprint", "encoders"):
        if old[key] != new[key]:
            if key == "task_fingerprint":
                return "the rows of the task have changed"
            what = {"encoders": "the encoder", "positive_label": "the positive label"}.get(key, f"the {key}")
            return f"{what} was {_short(old[key])}, now it is {_short(new[key])}"
    for knob in sorted({*old["fixed"], *new["fixed"]}):
        varied = {name for factor in new["factors"] for _, level in factor["levels"] for name in level}
        if old["fixed"].get(knob) != new["fixed"].get(knob) and knob not in varied:
            return f"{knob} was {old['fixed'].get(knob, 'not set')}, now it is {new['fixed'].get(knob, 'not set')}"
    levels = {factor["name"]: [level for _, level in factor["levels"]] for factor in new["factors"]}
    for factor in old["factors"]:
        if "range" in factor:
            continue  # its levels are those that its cells happen to have
        lost = [label for label, knobs in factor["levels"] if knobs not in levels.get(factor["name"], [])]
        if lost:
            return f"factor {factor['name']} no longer has level {lost[0]}"
    for row in old["design"].get("rows", ()):
        if new["design"]["kind"] == "list" and row not in new["design"]["rows"]:
            return f"row {row[ROW]!r} is no longer listed as it was"
    if missing := set(old["design"]["seeds"]) - set(new["design"]["seeds"]):
        return f"seed {min(missing)} is no longer asked for"
    return "some of its cells are no longer asked for (a rule, or the design)"


def _short(value: object) -> str:
    return ", ".join(f"{k} ({str(v)[:12]})" for k, v in value.items()) if isinstance(value, dict) else str(value)[:40]
