"""The base of every group of knobs: how their values are checked, and kinds of values that several of them have."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from gridsearch.recipe.shares import OF_DEPTH, is_share


@dataclass(frozen=True)
class Spelled:
    """A text that ``fits``; who wrote something else is told ``what`` it should be. ``values``: in lists of knobs.

    ``pattern`` is a regular expression for all of such a text, which may fit some that are none.
    """

    fits: Callable[[object], bool]
    pattern: str
    what: str
    values: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the text before all else."""
        return core_schema.no_info_before_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Describe the text to whoever lists the knobs."""
        return {**handler(schema), "description": self.values, "pattern": f"^({self.pattern})$"}

    def _checked(self, value: object) -> object:
        if not self.fits(value):
            raise PydanticCustomError("spelling", "input should be {what}", {"what": self.what})
        return value


_OF_LENGTHS = "p(100|[1-9][0-9]?)"


def _is_percentile(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(_OF_LENGTHS, value) is not None


Share = Annotated[
    str, Spelled(is_share, OF_DEPTH, 'a share of the depth, as "1/2" or "50%"', 'a share such as "1/2" or "50%"')
]
"""A share of the encoder's depth, such as 1/2 or 50%."""
LayerCount = Annotated[int, Field(ge=0)] | Share
_A_PERCENTILE = 'a percentile of the training rows\' lengths such as "p95" ("p1" to "p100")'
Percentile = Annotated[str, Spelled(_is_percentile, _OF_LENGTHS, _A_PERCENTILE, _A_PERCENTILE)]
"""The tokens within which so many percent of the training rows are whole."""
TokenCount = Annotated[int, Field(ge=4, le=8192)] | Percentile
Probability = Annotated[float, Field(ge=0, lt=1)]
Weight = Annotated[float, Field(gt=0)]


class KnobGroup(BaseModel):
    """Some knobs of a recipe. Frozen; unknown knobs and wrong types are refused; nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
