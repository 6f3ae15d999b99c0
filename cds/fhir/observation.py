"""Read Observations. Source: clinical/rules.md D-OBS (which time counts), D-UNIT (Quantity only), D-REFRANGE."""

from decimal import Decimal

from cds.engine import facts
from cds.engine.dates import Interval, parse_interval
from cds.engine.units import Quantity
from cds.fhir import resources
from cds.fhir.context import ReadContext
from cds.fhir.reading import Reading, code_of, status_of

_NOT_READ = ("value_range", "value_ratio", "value_sampled_data", "value_time", "value_date_time", "value_period")
_UNITY = "1"
_NORMAL_RANGES = frozenset({"", "normal"})


def read_observation(observation: resources.Observation, reading: Reading) -> facts.Observation:
    """Return the result with its value as recorded, or without a value where the record gives none that can be used."""
    value, concept = _value(observation, reading, "value")
    components = tuple(_component(component, reading) for component in observation.component)
    return facts.Observation(
        reading.provenance,
        reading.concept(observation.code),
        status_of(observation.status),
        _effective(observation, reading),
        value,
        concept,
        _interpretations(observation, reading),
        components,
        _upper_limit(observation, reading),
    )


def sorted_by(observation: resources.Observation, context: ReadContext) -> Interval | None:
    """Return the day by which a server sorts this Observation, if it is one single day, else None."""
    text = observation.effective_date_time or observation.effective_instant
    interval = parse_interval(text, context.zone) if text else None
    return interval if interval and interval.start == interval.end else None


def _effective(observation: resources.Observation, reading: Reading) -> Interval | None:
    end = observation.effective_period.end if observation.effective_period else None
    for text, element in (
        (observation.effective_date_time, "effectiveDateTime"),
        (end, "effectivePeriod.end"),
        (observation.effective_instant, "effectiveInstant"),
        (observation.issued, "issued"),
    ):
        if text:
            return reading.past(text, element)
    return None


def _component(component: resources.Result, reading: Reading) -> facts.Component:
    return facts.Component(reading.concept(component.code), *_value(component, reading, "component.value"))


def _value(result: resources.Result, reading: Reading, element: str) -> tuple[Quantity | None, facts.Concept | None]:
    """Return a measured value, or a coded or worded one."""
    if result.value_quantity is not None:
        return reading.quantity(result.value_quantity, f"{element}Quantity"), None
    if result.value_integer is not None:
        whole = reading.number(Decimal(result.value_integer), f"{element}Integer")
        return (Quantity(whole, _UNITY) if whole is not None else None), None
    if result.value_codeable_concept is not None:
        return None, reading.concept(result.value_codeable_concept)
    if result.value_string is not None:
        return None, facts.Concept(text=result.value_string)
    if result.value_boolean is not None:
        return None, facts.Concept(text="true" if result.value_boolean else "false")
    other = next((name for name in _NOT_READ if getattr(result, name) is not None), "")
    if other:
        kind = "".join(part.capitalize() for part in other.removeprefix("value_").split("_"))
        reading.problems.append(f"{element}{kind} is not read")
    return None, None


def _interpretations(observation: resources.Observation, reading: Reading) -> tuple[facts.Coding, ...]:
    read = reading.concepts(observation.interpretation)
    return tuple(coding for concept in read for coding in concept.codings or (facts.Coding("", "", concept.text),))


def _upper_limit(observation: resources.Observation, reading: Reading) -> Quantity | None:
    """Return the upper limit of normal, if the report gives exactly one."""
    normal = [item.high for item in observation.reference_range if item.high and code_of(item.type) in _NORMAL_RANGES]
    return reading.quantity(normal[0], "referenceRange.high") if len(normal) == 1 else None
