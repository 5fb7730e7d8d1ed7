"""Spaces and tasks that are well-formed and odd, by hypothesis: each is planned or refused, whatever it combines."""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsearch.recipe.recipe import knobs
from gridsearch.space.design import Design
from tests.fixtures_core import slow
from tests.fuzz import odd, trees
from tests.fuzz.watched import wrong_of

SCALARS = st.one_of(
    st.booleans(), st.integers(), st.floats(), st.sampled_from(odd.TEXTS), st.sampled_from(("0%", "50%", "p95", "none"))
)
NAMES = st.sampled_from(sorted(knobs()))
LEVELS = st.dictionaries(
    st.one_of(st.sampled_from("abc"), st.text(max_size=5)), st.dictionaries(NAMES, SCALARS, max_size=3)
)
RANGES = st.fixed_dictionaries({"low": SCALARS, "high": SCALARS}, optional={"log": st.booleans(), "step": SCALARS})
LONG = st.fixed_dictionaries(
    {}, optional={"levels": LEVELS, "range": RANGES, "column": st.text(max_size=5), "baseline": st.sampled_from("abc")}
)
FACTORS = st.dictionaries(NAMES, st.one_of(st.lists(SCALARS, max_size=4), LONG), min_size=1, max_size=4)
EXPRESSIONS = st.recursive(
    st.one_of(NAMES, st.just("factor.a"), SCALARS.map(repr)),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("==", "<", "in", "and", "or", "+", "**", "if", ".")), inner).map(" ".join),
        inner.map("not {}".format), inner.map("({})".format), inner.map("f({})".format), inner.map("[{}][0]".format),
    ),
)  # fmt: skip
RULES = st.lists(st.fixed_dictionaries({"skip": EXPRESSIONS}, optional={"why": st.text(max_size=5)}), max_size=2)
DESIGNS = st.fixed_dictionaries(
    {}, optional={name: st.one_of(SCALARS, st.lists(SCALARS, max_size=3)) for name in Design.model_fields}
    | {"kind": st.sampled_from(("full", "fraction", "one-at-a-time", "random", "list")), "cells": st.integers(-1, 99)},
)  # fmt: skip
SPACES = st.fixed_dictionaries(
    {"factors": FACTORS},
    optional={"title": st.text(max_size=5), "recipe": st.dictionaries(NAMES, SCALARS, max_size=3), "design": DESIGNS}
    | {"rules": RULES, "task": st.sampled_from(("docstrings", "nowhere.toml"))},
)  # fmt: skip
KEYS = st.one_of(st.integers(-1, 4), st.sampled_from(("text", "label", "id", "", "none")), st.lists(st.integers(0, 3)))
TASKS = st.fixed_dictionaries(
    {"name": st.text(max_size=5), "kind": st.sampled_from(("single", "pair", "multilabel", "score", "multi", ""))},
    optional={
        "metric": st.sampled_from(("accuracy", "f1_macro", "auc", "rmse", "log_loss", "pearson", "f1_binary")),
        "files": st.fixed_dictionaries(
            {"train": st.sampled_from(("train.tsv", "../train.tsv", ".", "/", "x" * 300))},
            optional={"dev": st.one_of(st.just("dev.tsv"), st.floats(), st.integers()), "split_seed": SCALARS}
            | {"drop_duplicates": st.booleans(), "format": st.sampled_from(("tsv", "xlsx"))},
        ),
        "columns": st.dictionaries(st.sampled_from(("text", "pair", "label", "header", "separator", "quoting")), KEYS),
        "labels": st.fixed_dictionaries({}, optional={"names": st.lists(SCALARS, max_size=3), "positive": SCALARS}),
        "ids": st.booleans(),
    },
)  # fmt: skip
QUICK, LONGER = 8, 400
FIXTURES = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large)


@pytest.mark.parametrize("n", [QUICK, pytest.param(LONGER, marks=pytest.mark.slow)])  # hundreds of plans
@pytest.mark.parametrize(("name", "strategy"), [slow("space", SPACES), ("task", TASKS)])
def test_what_is_well_formed_is_planned_or_refused(
    name: str, strategy: st.SearchStrategy[Any], n: int, begun: Path
) -> None:
    @settings(max_examples=n, deadline=None, suppress_health_check=FIXTURES, derandomize=True, database=None)
    @given(strategy)
    def check(tree: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            files = {"space": str(begun / "space.toml"), "task": str(begun / "task.toml")} | {name: f"{name}.toml"}
            for table in ("train.tsv", "dev.tsv"):
                Path(table).symlink_to(begun / table)
            Path(f"{name}.toml").write_bytes(trees.toml(tree).encode("utf-8", "surrogatepass"))
            words = ["plan", files["space"], "--task", files["task"], "--model", str(begun / "encoder")]
            assert not wrong_of(words)

    check()
