import doctest
import importlib
import pkgutil

import pytest

import reports

MODULES = [module.name for module in pkgutil.walk_packages(reports.__path__, "reports.")]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
