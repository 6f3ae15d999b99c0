"""Text from a record is words on a card: no tag, link, image or heading of it comes through a real renderer.

Every call is made twice, once with harmless words and once with hostile ones in the same places. The cards must have
the same structure; only their words may differ.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.response_checker import response_violations
from tests.running import Json, Running, running, settings_in
from tests.text.material import HOSTILE, NOW, QUIET, as_body, requests
from tests.text.places import is_free_text, places, with_text
from tests.text.renderers import Page, cmark, react_markdown

OURS = {"p", "ul", "li", "strong", "code"}
WORD_JOINER = "\u2060"
IN_ALL_WORDS = ("boris", "noor", "another-patients-condition", "what the EHR could not read")
MOST_CALLS_OF_A_PLACE = 4
EVERYTHING = " ".join(HOSTILE.values())


@dataclass(frozen=True, slots=True)
class Pair:
    """The cards of one call with harmless words, and with hostile ones in the same places."""

    name: str
    quiet: list[Json]
    hostile: list[Json]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("text"), clock=NOW)) as service:
        yield service


@pytest.fixture(scope="module")
def calls(service: Running) -> dict[str, Json]:
    offered = service.client.get("/cds-services").json()["services"]
    return requests(next(one["prefetch"] for one in offered if one["hook"] == "order-select"))


@pytest.fixture(scope="module")
def all_words(service: Running, calls: Mapping[str, Json]) -> list[Pair]:
    """Each hostile text, in all places at once that hold words: behind the words that stand there, or instead."""
    pairs = []
    for name in IN_ALL_WORDS:
        for how, put in (("behind", _behind), ("instead of", _instead)):
            quiet = _cards(service, with_text(calls[name], put(QUIET), is_free_text))
            for attempt, text in HOSTILE.items():
                hostile = _cards(service, with_text(calls[name], put(text), is_free_text))
                pairs.append(Pair(f"{attempt}, {how} all words of {name}", quiet, hostile))
    return pairs


@pytest.fixture(scope="module")
def each_place(service: Running, calls: Mapping[str, Json]) -> list[Pair]:
    """All hostile texts at once, in each place by itself: instead of words, and behind a code, a date, a unit."""
    pairs, tried = [], Counter[str]()
    for name, call in calls.items():
        for place in places(call):
            if tried[place] == MOST_CALLS_OF_A_PLACE:
                continue
            tried[place] += 1
            put = _instead if is_free_text(place) else _behind
            quiet, hostile = (_cards(service, with_text(call, put(text), place.__eq__)) for text in (QUIET, EVERYTHING))
            pairs.append(Pair(f"{place} of {name}", quiet, hostile))
    return pairs


def _behind(text: str) -> Callable[[str], str]:
    return lambda there: f"{there} {text}"


def _instead(text: str) -> Callable[[str], str]:
    return lambda _: text


def _cards(service: Running, call: Json) -> list[Json]:
    response = service.post(as_body(call))
    assert response.status_code in {200, 400, 412}, response.text
    if response.status_code != 200:
        return []
    assert [] == response_violations(response.json())
    cards: list[Json] = response.json()["cards"]
    return cards


RENDERERS = [pytest.param(cmark, id="cmark-gfm"), pytest.param(react_markdown, id="react-markdown")]
Renderer = Callable[[Sequence[str]], list[Page]]


@pytest.mark.parametrize("render", RENDERERS)
@pytest.mark.parametrize("pairs", ["all_words", "each_place"])
def test_hostile_text_changes_nothing_of_a_card_but_its_words(
    pairs: str, render: Renderer, request: pytest.FixtureRequest
) -> None:
    compared: list[Pair] = request.getfixturevalue(pairs)
    texts = list({card["detail"] for pair in compared for card in (*pair.quiet, *pair.hostile)})
    pages = dict(zip(texts, render(texts), strict=True))
    shapes = [
        (pair.name, *([(_topic(card), pages[card["detail"]].elements) for card in cards] for cards in _both(pair)))
        for pair in compared
    ]

    assert [] == [(name, _first_difference(quiet, hostile)) for name, quiet, hostile in shapes if quiet != hostile]
    assert OURS >= {element.lstrip("/") for page in pages.values() for element in page.elements}
    assert [] == [page.words for page in pages.values() if _hidden(page.words.replace(WORD_JOINER, "").splitlines())]


def test_hostile_text_reaches_the_cards_so_that_the_tests_here_can_fail(
    all_words: Sequence[Pair], each_place: Sequence[Pair]
) -> None:
    """Of each hostile text a card shows something, and so do many places."""
    seen = {pair.name.partition(", ")[0] for pair in all_words if _details(pair.quiet) != _details(pair.hostile)}
    places_seen = {pair.name.partition(" of ")[0] for pair in each_place if "grew" in _details(pair.hostile)}

    assert set(HOSTILE) == seen
    assert {
        "context MedicationRequest.dosageInstruction.doseAndRate.doseQuantity.code",
        "context MedicationRequest.reasonCode.text",
        "prefetch AllergyIntolerance.code.text",
        "prefetch Condition.code.coding.display",
        "prefetch Condition.code.text",
        "prefetch Condition.id",
        "prefetch Condition.resourceType",
        "prefetch MedicationRequest.medicationCodeableConcept.text",
        "prefetch Observation.code.text",
        "prefetch Observation.component.valueQuantity.code",
        "prefetch Observation.valueCodeableConcept.coding.display",
        "prefetch Observation.valueQuantity.code",
        "prefetch OperationOutcome.issue.details.text",
    } <= places_seen


@pytest.mark.parametrize("pairs", ["all_words", "each_place"])
def test_the_plain_texts_of_a_card_hide_and_turn_nothing(pairs: str, request: pytest.FixtureRequest) -> None:
    """Summary, source, suggestions and override reasons are one line of plain text each, the summary a short one."""
    compared: list[Pair] = request.getfixturevalue(pairs)
    cards = [card for pair in compared for card in pair.hostile]
    plain = {text for card in cards for text in _plain_texts(card)}

    assert [] == [text for text in plain if _hidden([text])]
    assert [] == [card["summary"] for card in cards if len(card["summary"]) >= 140]


def _both(pair: Pair) -> tuple[list[Json], list[Json]]:
    return pair.quiet, pair.hostile


def _topic(card: Json) -> str:
    topic: str = card["source"]["topic"]["code"]
    return topic


def _details(cards: Sequence[Json]) -> str:
    return "\n".join(card["detail"] for card in cards)


def _first_difference(quiet: Sequence[object], hostile: Sequence[object]) -> object:
    return next((pair for pair in zip(quiet, hostile, strict=False) if pair[0] != pair[1]), (len(quiet), len(hostile)))


def _plain_texts(card: Json) -> Iterator[str]:
    yield card["summary"]
    yield card["source"]["label"]
    yield card["source"]["topic"]["display"]
    for suggestion in card.get("suggestions", []):
        yield suggestion["label"]
        yield from (action["description"] for action in suggestion["actions"])
    yield from (reason["display"] for reason in card.get("overrideReasons", []))
    yield from (text for link in card.get("links", []) for text in (link["label"], link["url"]))


def _hidden(lines: Sequence[str]) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Cs"} for line in lines for char in line)
