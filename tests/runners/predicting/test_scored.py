"""Labels in an input: by name, or by position as in a task's files."""

import pytest

from runners.predicting.scored import label_places


@pytest.mark.parametrize(
    ("values", "places"),
    [
        (["no", " yes ", "no"], [0, 1, 0]),
        (["0", "1", "1"], [0, 1, 1]),
        (["0", "2", "-1", ""], [0, -1, -1, -1]),
        (["yes", "1"], [1, -1]),
        (["1", "?"], [-1, -1]),
        (["", ""], [-1, -1]),
    ],
)
def test_what_is_no_label_is_none(values: list[str], places: list[int]) -> None:
    assert label_places(values, ["no", "yes"]).tolist() == places


def test_names_that_are_numbers_are_names() -> None:
    assert label_places(["1", "2"], ["2", "1"]).tolist() == [1, 0]
