"""All criteria of a rule, wherever they stand, and what they name."""

from collections.abc import Iterator

from pydantic import BaseModel

from cds.engine.units import Quantity
from cds.knowledge.closed import Closed
from cds.knowledge.criteria import BloodPressureWords, CriterionText, ObservationWords, PatientWords, TrialWords
from cds.knowledge.schema import RuleText
from cds.knowledge.strict_yaml import Keys

_COMPARISONS = ("above", "at_least", "below", "at_most")


def criteria_of(model: BaseModel, keys: Keys = ()) -> Iterator[tuple[Keys, CriterionText]]:
    """Yield every criterion in a rule or a part of one, with its path in the file; parts of a criterion as well."""
    for name in sorted(model.model_fields_set):
        key = type(model).model_fields[name].alias or name
        yield from _in_value(getattr(model, name), (*keys, key))


def _in_value(value: object, keys: Keys) -> Iterator[tuple[Keys, CriterionText]]:
    if isinstance(value, CriterionText):
        yield keys, value
    if isinstance(value, BaseModel):
        yield from criteria_of(value, keys)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _in_value(part, (*keys, str(key)))
    elif isinstance(value, tuple):
        for number, part in enumerate(value):
            yield from _in_value(part, (*keys, number))


def word_of(criterion: CriterionText) -> tuple[str, object]:
    """Return the one word of a criterion as the file has it, and what stands behind it."""
    name = next(iter(criterion.model_fields_set - {"unless"}))
    return type(criterion).model_fields[name].alias or name, getattr(criterion, name)


def thresholds_of(rule: RuleText) -> Iterator[tuple[Keys, str]]:
    """Yield every threshold of a rule, as its text in the file, with its path.

    A threshold is a number with which a value, a count or an age is compared; a look-back is none.
    """
    for keys, criterion in criteria_of(rule):
        word, content = word_of(criterion)
        if isinstance(content, Closed):
            for name, text in _numbers(content):
                yield (*keys, word, name), text


def _numbers(content: Closed) -> Iterator[tuple[str, str]]:
    if isinstance(content, (ObservationWords, BloodPressureWords)):
        for name in _COMPARISONS:
            value = getattr(content, name, None)
            if isinstance(value, Quantity):
                yield name, str(value)
            elif isinstance(value, tuple):
                yield name, f"{value[0].value}/{value[1].value} {value[0].unit}"
    if isinstance(content, ObservationWords) and content.above_upper_limit:
        yield "above_upper_limit", content.above_upper_limit
    names = {TrialWords: ("at_least", "fewer_than"), PatientWords: ("age_below", "age_at_least")}
    for name in names.get(type(content), ()):
        if getattr(content, name) is not None:
            yield name, str(getattr(content, name))
