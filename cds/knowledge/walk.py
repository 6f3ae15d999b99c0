"""All criteria of a rule, wherever they stand, and what they name."""

from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from cds.engine.units import Quantity
from cds.knowledge.closed import Closed
from cds.knowledge.criteria import BloodPressureWords, CriterionText, ObservationWords, TrialWords
from cds.knowledge.order_criteria import CountWords, DoseWords, ExposureWords, PatientWords
from cds.knowledge.schema import RuleText
from cds.knowledge.strict_yaml import Keys

_COMPARISONS = ("above", "at_least", "below", "at_most", "no_multiple_of")


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


def deciding(rule: RuleText) -> Iterator[CriterionText]:
    """Yield the criteria that can leave a rule's verdict open, named ones followed.

    Those that only choose a text are left out, and the exceptions behind `unless`, which lift nothing while unknown.
    """
    waiting = list(rule.levels.values())
    followed: set[str] = set()
    while waiting:
        one = waiting.pop()
        yield one
        waiting += [*(one.any or ()), *(one.all or ()), *([one.negated] if one.negated else [])]
        if one.criterion in rule.where and one.criterion not in followed:
            followed.add(one.criterion)
            waiting.append(rule.where[one.criterion])


def thresholds_of(rule: RuleText) -> Iterator[tuple[Keys, str]]:
    """Yield every threshold of a rule, as its text in the file, with its path.

    A threshold is a number with which a value, a dose, a count, a length or an age is compared; a look-back is none.
    """
    yield from thresholds_in(criteria_of(rule))


def thresholds_in(criteria: Iterable[tuple[Keys, CriterionText]]) -> Iterator[tuple[Keys, str]]:
    """Yield every threshold of these criteria, as its text in the file, with its path."""
    for keys, criterion in criteria:
        word, content = word_of(criterion)
        if isinstance(content, Closed):
            for name, text in _numbers(content):
                yield (*keys, word, name), text


def _numbers(content: Closed) -> Iterator[tuple[str, str]]:
    if isinstance(content, (ObservationWords, BloodPressureWords, DoseWords)):
        for name in _COMPARISONS:
            value = getattr(content, name, None)
            if isinstance(value, Quantity):
                yield name, str(value)
            elif isinstance(value, tuple):
                yield name, f"{value[0].value}/{value[1].value} {value[0].unit}"
    if isinstance(content, ObservationWords) and content.above_upper_limit:
        yield "above_upper_limit", content.above_upper_limit
    for name in _COUNTS.get(type(content), ()):
        if getattr(content, name) is not None:
            yield name, str(getattr(content, name))


_COUNTS: dict[type[Closed], tuple[str, ...]] = {
    TrialWords: ("at_least", "fewer_than"),
    CountWords: ("at_least",),
    ExposureWords: ("at_least",),
    PatientWords: ("age_below", "age_at_least"),
}
