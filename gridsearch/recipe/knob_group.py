"""The base of every group of knobs: how their values are checked, and kinds of values that several of them have."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])%$")]
"""A share of the encoder's depth, such as 50%."""
LayerCount = Annotated[int, Field(ge=0)] | Share
Probability = Annotated[float, Field(ge=0, lt=1)]
Weight = Annotated[float, Field(gt=0)]


class KnobGroup(BaseModel):
    """Some knobs of a recipe. Frozen; unknown knobs and wrong types are refused; nothing is coerced."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
