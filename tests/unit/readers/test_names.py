"""What names of attributes answer by themselves."""

from include.freezeline.readers import names
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.column_plans import ColumnPlan
from include.freezeline.readers.names import ByNames, names_among
from include.freezeline.readers.values import to_integer, to_text


def test_names_are_worked_out_once_and_keep_the_order_of_the_attributes() -> None:
    asked: list[tuple[str, ...]] = []

    def answer(given: tuple[str, ...]) -> int:
        asked.append(given)
        return len(given)

    sizes = ByNames(answer)
    assert (sizes["a", "b"], sizes["a", "b"], sizes["b", "a"]) == (2, 2, 2)
    assert asked == [("a", "b"), ("b", "a")]
    assert names_among(("x", "y", "z"))["z", "a", "x"] == ("z", "x")


def test_names_with_ids_inside_do_not_fill_memory() -> None:
    sizes = ByNames(len)
    for number in range(names._MAX_KNOWN + 10):
        assert sizes[(f"item.{number}",)] == 1
    assert len(sizes) == names._MAX_KNOWN


def test_a_plan_takes_the_best_name_whose_value_makes_sense() -> None:
    plan = ColumnPlan({"model": (to_text, ("new", "old")), "seed": (to_integer, ("seed",))})
    first = AttributeView({"old": "b", "new": "a", "seed": "7"})
    assert plan.read(first) == {"model": "a", "seed": 7}
    assert first.taken == {"new", "seed"}
    # Spans of the same names share the plan, not the values: an unusable one stays an attribute.
    second = AttributeView({"old": "b", "new": "", "seed": "many"})
    assert plan.read(second) == {"model": "b", "seed": None}
    assert second.rest() == {"new": "", "seed": "many"}
    assert plan.read(AttributeView({})) == {"model": None, "seed": None}
