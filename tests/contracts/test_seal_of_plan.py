"""The seal of what was asked: rows that a search adds are added to it, and it is what computing it anew would give."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gridsearch.canonical import canonical_json
from gridsearch.errors import DamagedError
from gridsearch.planning.plan import ExcludedCell, Plan
from gridsearch.study.damage.judge import CHECKS, Moment, refuse_damaged
from gridsearch.study.damage.seals import _PLAN
from gridsearch.study.ledger import Ledger

SPACE = """
title = "A search"
[recipe]
epochs = 1
[factors]
learning_rate = [1e-5, 2e-5, 3e-5, 4e-5]
[design]
seeds = [0, 1]
"""


@pytest.fixture
def plan(plan_of) -> Plan:
    return plan_of(SPACE)


def up_to(plan: Plan, n_cells: int) -> Plan:
    return replace(plan, cells=plan.cells[:n_cells])


def whole(ledger: Ledger) -> str:
    """Refuse what is damaged, and return the seal."""
    refuse_damaged(ledger.connection, ledger.path, "a driver begins")
    return json.loads(ledger.connection.execute("SELECT value FROM study WHERE key = 'seal'").fetchone()[0])


def test_proposals_are_added_to_the_seal_and_what_is_there_is_not_read_again(plan: Plan, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.adopt(up_to(plan, 1), {})
        seals, asked = [whole(ledger)], []
        ledger.connection.set_trace_callback(asked.append)
        ledger.append(up_to(plan, 2), {})
        ledger.exclude(ExcludedCell({"learning_rate": "5e-05"}, "a rule"))
        ledger.append(up_to(plan, 3), {})
        ledger.connection.set_trace_callback(None)
        assert not {query for table, query in _PLAN.items() if table != "study"} & {*asked}
        seals.append(whole(ledger))
        ledger.exclude(ExcludedCell({"learning_rate": "5e-05"}, "another rule"))  # a row is changed
        seals.append(whole(ledger))
        ledger.append(plan, {})
        seals.append(whole(ledger))
        assert len({*seals}) == 4
        ledger.connection.execute('UPDATE cells SET dead = \'{"a":"b"}\' WHERE position = 3')
        with pytest.raises(DamagedError, match="what was asked has changed"):
            whole(ledger)


def test_a_driver_that_begins_reads_no_array_and_no_entry_twice(plan: Plan, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.adopt(plan, {})
        asked: dict[Moment, list[str]] = {moment: [] for moment in CHECKS}
        for moment, queries in asked.items():
            ledger.connection.set_trace_callback(queries.append)
            refuse_damaged(ledger.connection, ledger.path, moment)
        ledger.connection.set_trace_callback(None)
        begun = asked["a driver begins"]
        assert {*asked["a page is made of it"]} < {*begun}
        assert len({*begun}) == len(begun)
        for table in ("logits", "labels"):
            assert [f" FROM {table}" in " ".join(queries) for queries in asked.values()] == [False, False, True, True]
        assert {*asked["it is verified"]} < {*asked["a command has failed"]}
        assert "PRAGMA integrity_check(1)" in {*asked["it is verified"]} - {*begun}


def test_a_study_of_an_older_version_has_no_seal_and_is_given_one(plan: Plan, tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.adopt(up_to(plan, 1), {})
        old = whole(ledger)
        ledger.connection.execute("DELETE FROM study WHERE key = 'seal'")
        ledger.connection.commit()
        refuse_damaged(ledger.connection, ledger.path, "a driver begins")
        ledger.append(up_to(plan, 2), {})
        assert whole(ledger) != old
        ledger.connection.execute("UPDATE study SET value = ? WHERE key = 'seal'", (canonical_json(old),))
        with pytest.raises(DamagedError, match="what was asked has changed"):
            whole(ledger)
