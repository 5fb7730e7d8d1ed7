"""The manifest: what a study is bound to, as its ledger keeps it; and why a plan is not the same study grown."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from typing import Any

from gridsearch.canonical import canonical_json
from gridsearch.errors import RequestError, one_of
from gridsearch.planning.plan import Plan
from gridsearch.planning.rungs import Halving, read_halving
from gridsearch.planning.texts_read import TextsRead, read_texts
from gridsearch.recipe.prefixes import VOCABULARY
from gridsearch.repetition import Division
from gridsearch.space.design import own_seeds
from gridsearch.space.factor import ROW, SEED, SEEDS
from gridsearch.study.task_entry import Judged, OwnMetricEntry, TaskEntry, entry_of, read_task_entry
from gridsearch.tasks.target import Target, target_of

TRIALS, OBSERVATIONS = "trials", "observations"
"""What the ledger calls a study of its own and a published one."""


@dataclass(frozen=True)
class FactorEntry:
    """A factor: its levels by label, in declared order, each with the knobs that it sets.

    Of a factor with a ``range`` (the fields of gridsearch.space.ranges.Range), they are those that the cells have.
    """

    name: str
    column: str
    baseline: str
    levels: Mapping[str, Mapping[str, Any]]
    range: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class DesignEntry:
    """Which cells were asked for; ``kind`` is that of a space's design, or ``optuna``."""

    kind: str
    seeds: Sequence[int]
    seed_policy: str
    on_dead: str
    order_seed: int
    resolution: int | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    cells: int | None = None
    folds: int | None = None
    fold_seed: int = 0


@dataclass(frozen=True)
class RuleEntry:
    """A rule as it was written, and its reason."""

    skip: str
    why: str


@dataclass(frozen=True)
class SearchEntry:
    """How an optimiser proposed the cells; ``known`` counts those that were there before its first search."""

    sampler: str
    pruner: str
    objectives: Sequence[str]
    trials: int | None
    hours: float | None
    seed: int
    known: int


@dataclass(frozen=True)
class AddedEntry:
    """The knobs of an augmentation, and what became of the pairs that could be added to a fold's training rows.

    ``counts`` are those of gridsearch.tasks.augmentation.added.AddedCounts.
    """

    knobs: Mapping[str, Any]
    fold: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class TrialsManifest:
    """A study of trials. ``sources`` say how task and model were named, to be repeated from here.

    ``encoders`` are identities by name. ``encoders_of_ids``, by identity, are those made of them that read ids: each
    with the name under ``encoder``, and how ids become its tokens. ``division`` is that of the rows into folds; None
    where the task's own dev rows judge. ``added_pairs`` say what each augmentation comes to, fold by fold. ``texts``:
    how much of them is read, by encoder and part; ``depths``: the numbers of layers that shares of the depth are taken
    of; both empty in older ledgers.
    """

    title: str
    space: str
    space_text: str
    fixed: Mapping[str, Any]
    design: DesignEntry
    search: SearchEntry | None
    halving: Halving | None
    factors: tuple[FactorEntry, ...]
    rules: tuple[RuleEntry, ...]
    task: TaskEntry
    target: Target
    encoders: Mapping[str, str]
    encoder_notes: Sequence[str]
    sources: Mapping[str, Any]
    logits: str | None = None
    encoders_of_ids: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    division: Division | None = None
    added_pairs: Sequence[AddedEntry] = ()
    texts: Sequence[TextsRead] = ()
    depths: Sequence[int] = ()

    @property
    def parts(self) -> tuple[Judged, ...]:
        """The parts of the task, each with what it is judged by; a single task is the one part."""
        asked = dict(self.target.metrics)
        return tuple(Judged(name, asked.get(name, part.metric), part) for name, part in self.task.by_part.items())

    @property
    def judged(self) -> tuple[Judged, ...]:
        """The parts whose metrics make up the target."""
        asked = dict(self.target.metrics)
        return tuple(one for one in self.parts if one.part in asked)

    @property
    def sole(self) -> Judged | None:
        """The part whose metric is the target; None where that is a mean over several."""
        return self.judged[0] if len(self.judged) == 1 else None

    @property
    def has_test(self) -> bool:
        """Whether the target is known on test."""
        return all(one.entry.test_is_labelled for one in self.judged)

    def of_part(self, name: str) -> "TrialsManifest":
        """Return the study as if it selected on one of its parts. Raises RequestError where there is none such."""
        if not self.task.parts:
            raise RequestError(f"--part {name}: the task {self.task.name} has no parts")
        found = next((one for one in self.parts if one.part == name), None)
        if found is None:
            raise RequestError(f"--part: {one_of('part', name, list(self.task.parts))}")
        return replace(self, target=Target(((found.part, found.metric),)))

    @property
    def starts(self) -> Mapping[str, Mapping[str, Any]]:
        """What a trial or a pretraining may start from, by identity: the encoder's name, and how it reads ids."""
        return {identity: {"encoder": name} for name, identity in self.encoders.items()} | dict(self.encoders_of_ids)

    def to_json(self) -> dict[str, object]:
        """Return what the ledger keeps; :func:`read_manifest` reads it again."""
        return {
            "kind": TRIALS,
            "space": self.space,
            "title": self.title,
            "space_text": self.space_text,
            "fixed": self.fixed,
            "design": asdict(self.design),
            "optimised": None if self.search is None else asdict(self.search),
            "halving": None if self.halving is None else self.halving.to_json(),
            "factors": [_factor_json(factor) for factor in self.factors],
            "rules": [asdict(rule) for rule in self.rules],
            **self.task.to_json(),
            "metric": self.target.name,
            **({"target": self.target.metrics} if self.task.parts else {}),
            "encoders": self.encoders,
            "encoder_notes": self.encoder_notes,
            "sources": self.sources,
            **({} if self.logits is None else {"logits": self.logits}),
            **({"encoders_of_ids": self.encoders_of_ids} if self.encoders_of_ids else {}),
            **({} if self.division is None else {"division": asdict(self.division)}),
            **({"added_pairs": [asdict(one) for one in self.added_pairs]} if self.added_pairs else {}),
            **({"texts": [asdict(one) for one in self.texts]} if self.texts else {}),
            **({"depths": self.depths} if self.depths else {}),
        }


@dataclass(frozen=True)
class PublishedRows:
    """How the rows of a published table were spelled there: index, result, and by column other scores and seeds."""

    index: Sequence[str]
    response: Sequence[str]
    scores: Sequence[Mapping[str, str]] = ()
    seeds: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class TableManifest:
    """A published table. ``columns`` are all of them in order; ``index_column`` is empty without one.

    ``scores`` are columns that measured the rows too; ``inert`` names factors that could not act; ``seeds`` are columns
    that tell which run of its recipe a row is; ``without`` are the rows without a result: index, label, and the text in
    its place.
    """

    title: str
    source: str
    form: str
    columns: Sequence[str]
    index_column: str
    response: str
    factors: tuple[FactorEntry, ...]
    rows: PublishedRows
    scores: Sequence[str] = ()
    inert: Sequence[str] = ()
    seeds: Sequence[str] = ()
    without: Sequence[Mapping[str, str]] = ()

    def to_json(self) -> dict[str, object]:
        """Return what the ledger keeps; :func:`read_manifest` reads it again."""
        return {
            "kind": OBSERVATIONS,
            "form": self.form,
            "title": self.title,
            "source": self.source,
            "columns": self.columns,
            "index_column": self.index_column,
            "response": self.response,
            "scores": self.scores,
            "curve": "",
            "went_back": (),
            "factors": [_factor_json(factor) for factor in self.factors],
            "published": asdict(self.rows),
            "without": self.without,
            "inert": self.inert,
            "seeds": self.seeds,
        }


@dataclass(frozen=True)
class CurveManifest(TableManifest):
    """The points of a training's log; ``curve`` is their index. It ``went_back`` from one to another."""

    curve: str = ""
    went_back: Sequence[tuple[str, str]] = ()

    def to_json(self) -> dict[str, object]:
        """Return what the ledger keeps; :func:`read_manifest` reads it again."""
        return super().to_json() | {"curve": self.curve, "went_back": self.went_back}


Manifest = TrialsManifest | TableManifest
"""A study of trials, a published table, or (a table without factors) a curve."""


def manifest_of(plan: Plan, sources: Mapping[str, object]) -> TrialsManifest:
    """Gather what a study is bound to, and what its page needs to know about the space."""
    space, task = plan.space, plan.task
    kind = {} if plan.optimised is None else {"kind": "optuna"}
    return TrialsManifest(
        title=space.title,
        space=space.name,
        space_text=space.text,
        fixed=space.fixed,
        design=DesignEntry(**(space.design.model_dump() | kind)),
        search=None if plan.optimised is None else SearchEntry(**plan.optimised),
        halving=plan.halving,
        factors=tuple(
            FactorEntry(
                factor.name,
                factor.column,
                factor.baseline,
                {level.label: level.knobs for level in plan.levels_of(factor)},
                None if factor.range is None else asdict(factor.range),
            )
            for factor in space.factors
        ),
        rules=tuple(RuleEntry(rule.skip, rule.why) for rule in space.rules),
        task=entry_of(task),
        target=task.target,
        encoders={name: card.identity for name, card in plan.cards.items()},
        encoder_notes=list(chain.from_iterable(plan.encoder_notes.values())),
        sources=sources,
        encoders_of_ids={
            identity: {"encoder": card.name, **{VOCABULARY + name: value for name, value in card.ids.recipe}}
            for identity, card in plan.starts.items()
            if card.ids is not None
        },
        division=space.design.division,
        added_pairs=[
            AddedEntry(asdict(augmentation), fold, asdict(counts))
            for (augmentation, fold), counts in sorted(plan.added.items())
        ],
        texts=plan.texts,
        depths=plan.depths,
    )


def read_manifest(kept: Mapping[str, Any]) -> Manifest:
    """Read what a ledger keeps. Older ones lack what was not yet kept when they were begun."""
    if kept["kind"] == TRIALS:
        return _read_trials(kept)
    about: dict[str, Any] = {
        "title": kept["title"],
        "source": kept.get("source", ""),
        "form": kept.get("form", "table"),
        "columns": kept.get("columns", ()),
        "index_column": kept.get("index_column", ""),
        "response": kept["response"],
        "factors": _read_factors(kept),
        "rows": PublishedRows(**kept.get("published", {"index": (), "response": ()})),
        "scores": kept.get("scores", ()),
        "inert": kept.get("inert", ()),
        "seeds": kept.get("seeds", ()),
        "without": kept.get("without", ()),
    }
    if kept.get("curve"):
        return CurveManifest(**about, curve=kept["curve"], went_back=kept.get("went_back", ()))
    return TableManifest(**about)


def _read_trials(kept: Mapping[str, Any]) -> TrialsManifest:
    pairs = kept.get("target")
    return TrialsManifest(
        title=kept["title"],
        space=kept["space"],
        space_text=kept.get("space_text", ""),
        fixed=kept["fixed"],
        design=DesignEntry(**kept["design"]),
        search=SearchEntry(**kept["optimised"]) if kept.get("optimised") else None,
        halving=read_halving(kept["halving"]) if kept.get("halving") else None,
        factors=_read_factors(kept),
        rules=tuple(RuleEntry(rule["skip"], rule["why"]) for rule in kept.get("rules", ())),
        task=read_task_entry(kept),
        target=target_of(kept["metric"]) if pairs is None else Target(tuple((part, one) for part, one in pairs)),
        encoders=kept["encoders"],
        encoder_notes=kept.get("encoder_notes", ()),
        sources=kept.get("sources", {}),
        logits=kept.get("logits"),
        encoders_of_ids=kept.get("encoders_of_ids", {}),
        division=Division(**kept["division"]) if kept.get("division") else None,
        added_pairs=[AddedEntry(**one) for one in kept.get("added_pairs", ())],
        texts=[read_texts(one) for one in kept.get("texts", ())],
        depths=kept.get("depths", ()),
    )


def _read_factors(kept: Mapping[str, Any]) -> tuple[FactorEntry, ...]:
    return tuple(
        FactorEntry(one["name"], one["column"], one["baseline"], dict(one["levels"]), one.get("range"))
        for one in kept["factors"]
    )


def _factor_json(factor: FactorEntry) -> dict[str, object]:
    return {
        "name": factor.name,
        "column": factor.column,
        "baseline": factor.baseline,
        "levels": [[label, knobs] for label, knobs in factor.levels.items()],
        **({} if factor.range is None else {"range": factor.range}),
    }


def difference(old: TrialsManifest, new: TrialsManifest) -> str:
    """Name the first thing in which a plan is no growth of a study."""
    if (own := old.task.own_metric) is not None and new.task.own_metric is None:
        return own.only_from_python
    for what, before, now in (
        ("the task", old.task.name, new.task.name),
        ("the metric", old.target.name, new.target.name),
        ("the positive label", old.task.positive_label, new.task.positive_label),
    ):
        if before != now:
            return f"{what} was {_short(before)}, now it is {_short(now)}"
    if other_function := _other_function(old.task.own_metric, new.task.own_metric):
        return other_function
    if old.division != new.division:
        return f"the rows were {_division_text(old.division)}, now they are {_division_text(new.division)}"
    if old.task.fingerprint != new.task.fingerprint:
        return "the rows of the task have changed"
    if old.encoders != new.encoders:
        return f"the encoder was {_short(old.encoders)}, now it is {_short(new.encoders)}"
    made = {canonical_json(said): identity for identity, said in new.encoders_of_ids.items()}
    if any(made.get(canonical_json(said), identity) != identity for identity, said in old.encoders_of_ids.items()):
        return "the ids of the task's further files, or its token counts, have changed"
    varied = {name for factor in new.factors for knobs in factor.levels.values() for name in knobs}
    for knob in sorted({*old.fixed, *new.fixed} - varied):
        if old.fixed.get(knob) != new.fixed.get(knob):
            return f"{knob} was {old.fixed.get(knob, 'not set')}, now it is {new.fixed.get(knob, 'not set')}"
    levels = {factor.name: list(factor.levels.values()) for factor in new.factors}
    for factor in old.factors:
        if factor.range is not None:
            continue  # its levels are those that its cells happen to have
        lost = [label for label, knobs in factor.levels.items() if knobs not in levels.get(factor.name, [])]
        if lost:
            return f"factor {factor.name} no longer has level {lost[0]}"
    if missing := set(old.design.seeds) - set(new.design.seeds):
        return f"seed {min(missing)} is no longer asked for"
    if new.design.kind == "list":
        for row in old.design.rows:
            if not any(_is_grown(row, old.design, other, new.design) for other in new.design.rows):
                return f"row {row[ROW]!r} is no longer listed as it was"
    return "some of its cells are no longer asked for (a rule, or the design)"


def _other_function(before: OwnMetricEntry | None, now: OwnMetricEntry | None) -> str:
    """Say in what two metrics of the user's own differ that have one name; an empty text where in nothing."""
    if before is None or now is None or before == now:
        return ""
    if before.version != now.version:
        return f"the version of the metric {now.name} was {before.version}, now it is {now.version}"
    return f"the source of the metric {now.name} has changed, and its version is still {now.version}"


def _is_grown(row: Mapping[str, Any], of: DesignEntry, other: Mapping[str, Any], of_other: DesignEntry) -> bool:
    """Tell whether a row of a list is another one, with more seeds perhaps."""
    seeds, others = own_seeds(row) or of.seeds, own_seeds(other) or of_other.seeds
    same = all(row.get(key) == other.get(key) for key in {*row, *other} - {SEED, SEEDS})
    return same and set(seeds) <= set(others)


def _division_text(division: Division | None) -> str:
    if division is None:
        return "not divided"
    return f"divided into {division.n_folds} folds (fold_seed {division.seed})"


def _short(value: object) -> str:
    return (
        ", ".join(f"{k} ({str(v)[:12]})" for k, v in value.items()) if isinstance(value, Mapping) else str(value)[:40]
    )
