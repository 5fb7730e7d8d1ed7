import doctest
import importlib
import pkgutil

import pytest

import reports


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(reports.__path__)])
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"reports.{name}")).failed == 0
