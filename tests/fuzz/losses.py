"""Take parts of a record away as a failing EHR does: not sent, an error, broken, somebody else's, only a first page."""

import copy
import json
from collections.abc import Callable

from hypothesis import strategies as st

from tests.fuzz.mutations import Mutant
from tests.fuzz.odd_values import as_json
from tests.running import Json

_OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


@st.composite
def with_lost_data(draw: st.DrawFn, request: Json) -> Mutant:
    """Return a request in which a part of the record did not come: not sent, an error, broken, or only a first page."""
    mutant = json.loads(json.dumps(request))
    keys = sorted(set(mutant["prefetch"]) - {"patient"})
    lost = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=4, unique=True))
    changes = []
    for key in lost:
        name, lose = draw(st.sampled_from(_LOSSES))
        lose(draw, mutant["prefetch"], key)
        changes.append(f"{name} prefetch.{key}")
    return Mutant(as_json(mutant), tuple(changes), frozenset(("prefetch", key) for key in lost))


_Loss = Callable[[st.DrawFn, Json, str], None]


def _not_sent(_: st.DrawFn, prefetch: Json, key: str) -> None:
    del prefetch[key]


def _an_error(_: st.DrawFn, prefetch: Json, key: str) -> None:
    prefetch[key] = copy.deepcopy(_OUTCOME)


def _an_error_inside(_: st.DrawFn, prefetch: Json, key: str) -> None:
    prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": copy.deepcopy(_OUTCOME)}]}


def _garbage(draw: st.DrawFn, prefetch: Json, key: str) -> None:
    prefetch[key] = draw(st.sampled_from((True, 1, "text", [], ["text"], {}, {"resourceType": "Bundle", "entry": "x"})))


def _a_first_page(_: st.DrawFn, prefetch: Json, key: str) -> None:
    page = prefetch[key] or {"resourceType": "Bundle", "type": "searchset"}
    prefetch[key] = page | {"link": [{"relation": "next", "url": "http://127.0.0.1:1/fhir?page=2"}]}


def _somebody_elses(_: st.DrawFn, prefetch: Json, key: str) -> None:
    theirs = {"resourceType": "Condition", "id": "theirs", "code": {"text": "x"}, "subject": {"reference": "Patient/x"}}
    prefetch[key] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": theirs}]}


_LOSSES: tuple[tuple[str, _Loss], ...] = (
    ("not sent", _not_sent),
    ("an error for", _an_error),
    ("an error among", _an_error_inside),
    ("garbage for", _garbage),
    ("a first page of", _a_first_page),
    ("another patient's data in", _somebody_elses),
)
