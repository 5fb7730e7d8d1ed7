"""The encoder, tables and studies that are made for mutated files serve here, too."""

from tests.fuzz.conftest import begun

__all__ = ["begun"]
