"""Criteria about measured and coded results: observations, blood pressure, Child-Pugh."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from cds.engine.assessment import Outcome
from cds.engine.dates import Interval, Window
from cds.engine.definitions import ObservationDefinition
from cds.engine.derive.blood_pressure import Pair, latest_per_day, pairs
from cds.engine.derive.child_pugh import child_pugh as child_pugh_class
from cds.engine.derive.ending import still, unexplained
from cds.engine.derive.evidence import pair_evidence, reading_evidence
from cds.engine.derive.readings import Reading, readings, same_time
from cds.engine.derive.results import result_verdict
from cds.engine.facts import Gap, GapScope, Observation, Source
from cds.engine.logic import Verdict, all_of, any_of
from cds.engine.rules import BloodPressureCriterion, ChildPughCriterion, ObservationCriterion, Use
from cds.engine.scene import Scene
from cds.engine.units import UnitError, convert, is_above, is_below


def observation(criterion: ObservationCriterion, scene: Scene) -> Outcome:
    """Ask for a result, over the readings that the criterion says."""
    definition = scene.knowledge.definitions.observations[criterion.value_sets[0]]
    found = readings(_observations(criterion.value_sets, scene), definition, criterion.within, scene.today)
    if criterion.result:  # a number counts only by its interpretation
        found = tuple(one for one in found if one.result or one.observation.interpretations)
    source = Source(definition.source)
    newest = found[0].when if found and criterion.use is Use.LATEST else None  # of one reading alone it tells enough
    unread = _unread(scene, source, criterion.value_sets, criterion.within, newest)
    groups = [group for group in _groups(found, criterion) if not unread or _is_sure(group, criterion, scene, source)]
    if unread and not groups:
        return Outcome(Verdict.UNKNOWN, evidence=tuple(map(reading_evidence, found[:1])), missing=unread)
    judged = [_still(_judge(group, criterion, definition, scene), group[0], criterion, scene) for group in groups]
    if criterion.every:
        judged += _not_measured(found, criterion, scene, source)
    if not judged:
        return _silent(criterion.if_missing, unread, _never(scene, criterion.value_sets, criterion.within, source))
    return _combined(judged, unread, every=criterion.every)


def _observations(value_sets: Sequence[str], scene: Scene) -> tuple[Observation, ...]:
    found = {id(fact): fact for name in value_sets for fact in scene.index.observations.get(name, ())}
    return tuple(found.values())


def _unread(
    scene: Scene, source: Source, value_sets: Sequence[str], window: Window | None, newest: Interval | None
) -> tuple[Gap, ...]:
    """Return why the newest reading may not be known: the source was not read, or not far enough back."""
    gaps = scene.silence([source], value_sets)
    reach = scene.facts.complete_since.get(source)
    if gaps or reach is None:
        return gaps
    far_enough = window is not None and window.first_day(scene.today) > reach.end
    if far_enough or (newest is not None and newest.start > reach.end):
        return ()
    return (Gap(source, GapScope.SOURCE, f"only read back to {reach}; further pages were not sent"),)


def _is_sure(group: list[Reading], criterion: ObservationCriterion, scene: Scene, source: Source) -> bool:
    """Say whether readings count although more may exist: any may, or they are newer than all that was not read."""
    if criterion.use is Use.ANY or criterion.measured:
        return True
    reach = scene.facts.complete_since.get(source)
    unread = scene.silence([source], criterion.value_sets)
    return not unread and reach is not None and group[0].when.start > reach.end


def _groups(found: tuple[Reading, ...], criterion: ObservationCriterion) -> list[list[Reading]]:
    """Return the readings that are looked at, each with those of the same time that may contradict it."""
    if criterion.use is Use.ANY:
        return [[reading] for reading in found]
    if criterion.use is Use.LATEST:
        return [_latest(found)] if found else []
    per_code: dict[tuple[str, ...], list[Reading]] = {}
    for reading in found:
        per_code.setdefault(tuple(coding.code for coding in reading.code.codings), []).append(reading)
    return [_latest(tuple(group)) for group in per_code.values()]


def _latest(found: tuple[Reading, ...]) -> list[Reading]:
    return [reading for reading in found if same_time(reading, found[0])]


def _judge(
    group: list[Reading], criterion: ObservationCriterion, definition: ObservationDefinition, scene: Scene
) -> Outcome:
    """Judge readings of one time: of two different values the worse one counts, marked as conflicting."""
    verdicts = [(_compare(reading, criterion, definition, scene), reading) for reading in group]
    worse = _worse(verdicts, definition)
    differ = len({str(reading.value or (reading.result and reading.result.label)) for reading in group}) > 1
    evidence = reading_evidence(worse[1])
    if differ:
        evidence = replace(evidence, remarks=(*evidence.remarks, "conflicting record"))
    missing = (worse[1].problem or _uncertain(worse[1], definition),) if worse[0] is Verdict.UNKNOWN else ()
    return Outcome(worse[0], evidence=(evidence,), missing=missing)


def _still(outcome: Outcome, reading: Reading, criterion: ObservationCriterion, scene: Scene) -> Outcome:
    """Ask whether a result that shows something was ended or explained by something else in the record."""
    if outcome.verdict is not Verdict.PRESENT:
        return outcome
    answers = []
    if criterion.ended_by:
        answers.append(still(reading.when, criterion.ended_by, scene))
    if criterion.explained_by:
        answers.append(unexplained(reading.when, criterion.explained_by, scene))
    verdict = all_of([outcome.verdict, *(answer for answer, _ in answers)])
    return replace(outcome, verdict=verdict, missing=tuple(gap for _, gaps in answers for gap in gaps))


def _worse(verdicts: list[tuple[Verdict, Reading]], definition: ObservationDefinition) -> tuple[Verdict, Reading]:
    numbers = [(verdict, reading) for verdict, reading in verdicts if reading.value]
    if numbers and definition.unit and len(numbers) == len(verdicts):
        choose = max if definition.worse == "higher" else min
        return choose(numbers, key=lambda pair: pair[1].value.value if pair[1].value else Decimal(0))
    combined = any_of(verdict for verdict, _ in verdicts)
    return next(pair for pair in verdicts if pair[0] is combined)


def _compare(
    reading: Reading, criterion: ObservationCriterion, definition: ObservationDefinition, scene: Scene
) -> Verdict:
    if criterion.measured:
        return reading.inside
    if criterion.result:
        known = {name: scene.knowledge.value_sets[name] for name in (*criterion.result, *definition.results_known)}
        return all_of([reading.inside, result_verdict(reading, criterion.result, known)])
    if reading.value is None:
        return Verdict.UNKNOWN
    return all_of([reading.inside, _against_threshold(reading, criterion, definition)])


def _against_threshold(reading: Reading, criterion: ObservationCriterion, definition: ObservationDefinition) -> Verdict:
    assert reading.value is not None  # noqa: S101  (asked by the caller)
    if criterion.above_upper_limit:
        return _above_upper_limit(reading, Decimal(criterion.above_upper_limit), definition)
    for threshold, ask, or_equal in (
        (criterion.above, is_above, False),
        (criterion.at_least, is_above, True),
        (criterion.below, is_below, False),
        (criterion.at_most, is_below, True),
    ):
        if threshold is not None:
            return ask(reading.value, convert(threshold, definition.unit).value, or_equal=or_equal)
    raise ValueError("an observation criterion without a comparison")  # refused by the loader


def _above_upper_limit(reading: Reading, times: Decimal, definition: ObservationDefinition) -> Verdict:
    """Compare with a multiple of the upper limit; exactly as recorded, where the report gives both in one unit."""
    given, recorded = reading.observation.upper_limit, reading.recorded
    if given and recorded and given.unit == recorded.unit:
        return is_above(recorded, given.value * times)
    limit = _upper_limit(reading, definition)
    return is_above(reading.value, limit * times) if limit and reading.value else Verdict.UNKNOWN


def _upper_limit(reading: Reading, definition: ObservationDefinition) -> Decimal | None:
    given = reading.observation.upper_limit
    if given is not None:
        try:
            return convert(given, definition.unit, definition.factors).value
        except UnitError:
            return None
    return definition.default_upper_limit.value if definition.default_upper_limit else None


def _uncertain(reading: Reading, definition: ObservationDefinition) -> Gap:
    label = f"{reading.code.label} of {reading.when}"
    why = "its date is not exact enough" if reading.inside is Verdict.UNKNOWN else "its result could not be judged"
    return Gap(Source(definition.source), GapScope.VALUE, f"{label}: {why}", reading.observation.provenance.reference)


def _not_measured(
    found: tuple[Reading, ...], criterion: ObservationCriterion, scene: Scene, source: Source
) -> list[Outcome]:
    """Return one unknown for each code of the value sets that was not measured at all."""
    seen = {coding.code for reading in found for coding in reading.code.codings}
    members = {
        code: one for name in criterion.value_sets for (_, code), one in scene.knowledge.value_sets[name].codes.items()
    }
    return [
        Outcome(
            Verdict.UNKNOWN, missing=(Gap(source, GapScope.VALUE, f"{one.display}: none within {criterion.within}"),)
        )
        for code, one in members.items()
        if code not in {other.replace(".", "").upper() for other in seen}
    ]


def _combined(judged: list[Outcome], unread: tuple[Gap, ...], *, every: bool) -> Outcome:
    verdicts = [outcome.verdict for outcome in judged]
    verdict = all_of(verdicts) if every else any_of(verdicts)
    if unread and verdict is (Verdict.PRESENT if every else Verdict.NOT_FOUND):
        verdict = Verdict.UNKNOWN
    deciding = [outcome for outcome in judged if outcome.verdict is verdict] or judged
    missing = tuple(gap for outcome in deciding for gap in outcome.missing)
    evidence = tuple(one for outcome in deciding for one in outcome.evidence)
    return Outcome(verdict, evidence=evidence, missing=(*missing, *unread) if verdict is Verdict.UNKNOWN else ())


def _silent(if_missing: Verdict, unread: tuple[Gap, ...], never: Gap) -> Outcome:
    if unread:
        return Outcome(Verdict.UNKNOWN, missing=unread)
    missing = (never,) if if_missing is Verdict.UNKNOWN else ()
    return Outcome(if_missing, missing=missing, notes=(never.reason,))


def _never(scene: Scene, value_sets: Sequence[str], window: Window | None, source: Source) -> Gap:
    titles = ", ".join(scene.knowledge.value_sets[name].title for name in value_sets)
    return Gap(source, GapScope.VALUE, f"{titles}: none" + (f" within {window}" if window else " on record"))


def blood_pressure(criterion: BloodPressureCriterion, scene: Scene) -> Outcome:
    """Ask for a blood pressure: of the latest pair, or of the latest pair of each of the last days with one."""
    definition = scene.knowledge.definitions.blood_pressure
    sets = (definition.panel, definition.systolic, definition.diastolic)
    assert criterion.within is not None  # noqa: S101  (the loader refuses one without)
    found = pairs(_observations(sets, scene), scene.knowledge.index, definition, criterion.within, scene.today)
    days = latest_per_day(found)
    needed, considered = criterion.of_last or (1, 1)
    oldest = days[:considered][-1].when if len(days) >= considered else None
    unread = _unread(scene, Source.BLOOD_PRESSURE, sets, criterion.within, oldest)
    if unread and not (criterion.measured and found):
        return Outcome(Verdict.UNKNOWN, evidence=tuple(map(pair_evidence, found[:1])), missing=unread)
    if not found:
        never = Gap(Source.BLOOD_PRESSURE, GapScope.VALUE, f"none within {criterion.within}")
        return _silent(criterion.if_missing, (), never)
    return _pairs_outcome(days[:considered], needed, criterion)


def _pairs_outcome(days: tuple[Pair, ...], needed: int, criterion: BloodPressureCriterion) -> Outcome:
    verdicts = [all_of([pair.inside, _pair_verdict(pair, criterion)]) for pair in days]
    sure = verdicts.count(Verdict.PRESENT)
    possible = sure + verdicts.count(Verdict.UNKNOWN)
    verdict = Verdict.PRESENT if sure >= needed else Verdict.UNKNOWN if possible >= needed else Verdict.NOT_FOUND
    deciding = [pair for pair, one in zip(days, verdicts, strict=True) if one is verdict] or list(days)
    missing = tuple(gap for pair in days for gap in pair.problems) or (
        Gap(Source.BLOOD_PRESSURE, GapScope.VALUE, f"{days[0]} of {days[0].when} cannot be judged",
            days[0].references[0]),
    )  # fmt: skip
    return Outcome(
        verdict,
        evidence=tuple(map(pair_evidence, deciding)),
        missing=missing if verdict is Verdict.UNKNOWN else (),
    )


def _pair_verdict(pair: Pair, criterion: BloodPressureCriterion) -> Verdict:
    if criterion.measured:
        return Verdict.PRESENT
    if criterion.above:
        return pair.above((criterion.above[0].value, criterion.above[1].value))
    assert criterion.at_most is not None  # noqa: S101  (the loader refuses one without)
    return pair.at_most((criterion.at_most[0].value, criterion.at_most[1].value))


def child_pugh(criterion: ChildPughCriterion, scene: Scene) -> Outcome:
    """Ask for the Child-Pugh class; unknown where a value is missing."""
    result = child_pugh_class(scene)
    if not result.name:
        return Outcome(Verdict.UNKNOWN, evidence=result.evidence, missing=result.missing)
    verdict = Verdict.PRESENT if result.name in criterion.classes else Verdict.NOT_FOUND
    note = f"Child-Pugh {result.name}, {result.points} points"
    return Outcome(
        verdict,
        evidence=result.evidence if verdict is Verdict.PRESENT else (),
        notes=(note,),
        values={"class": result.name, "points": str(result.points)},
    )
