"""Behind every card stands what its rule rests on and which data of the patient it uses, in words anybody can read."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import urlsplit

import httpx
import pytest

from cds.engine.rules import Knowledge
from tests.hooks.bodies import body, request
from tests.response_checker import outcome_violations, response_violations
from tests.running import Running, running, settings_in

NAMES = [
    "bibliographic_citation", "developer", "funding_source", "dates", "race", "ethnicity", "language",
    "sexual_orientation", "gender_identity", "sex", "date_of_birth", "social_determinants",
    "health_status_assessments",
]  # fmt: skip
PAGE = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(settings_in(tmp_path_factory.mktemp("service"))) as service:
        yield service


def _knowledge(service: Running) -> Knowledge:
    knowledge: Knowledge = service.app.state.ports.knowledge
    return knowledge


def _read(service: Running, rule_id: str, accept: str = "*/*") -> httpx.Response:
    return service.client.get(f"/knowledge/{rule_id}/source-attributes", headers={"accept": accept})


def test_every_card_leads_to_the_attributes_of_its_leading_rule(service: Running) -> None:
    answer = service.post(body(request())).json()

    assert [] == response_violations(answer)
    assert answer["cards"]
    for card in answer["cards"]:
        (link,) = card["links"]
        read = service.client.get(link["url"])
        rule = next(rule for rule in _knowledge(service).rules if rule.id == read.json()["rule"])
        assert (200, card["extension"]["org.ketamine-cds"]["rules"][0]) == (read.status_code, rule.topic)


def test_every_rule_states_all_thirteen_and_none_is_empty(service: Running) -> None:
    knowledge = _knowledge(service)
    read = [_read(service, rule.id).json() for rule in knowledge.rules]

    assert [(rule.id, rule.title) for rule in knowledge.rules] == [(one["rule"], one["title"]) for one in read]
    assert [NAMES] * len(read) == [[part["name"] for part in one["attributes"]] for one in read]
    assert [] == [part for one in read for part in one["attributes"] if not (part["description"] and part["title"])]
    assert {knowledge.digest} == {one["knowledge"]["digest"] for one in read}


def test_a_rule_that_reads_the_age_says_that_the_date_of_birth_is_used(service: Running) -> None:
    said = {part["name"]: part["description"] for part in _read(service, "under_eighteen").json()["attributes"]}

    assert said["date_of_birth"].startswith("Used")
    assert said["race"].startswith("Not used")


class _Reader(HTMLParser):
    """Collects the tags, attributes and words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_browser_gets_a_page_with_the_same_words(service: Running) -> None:
    response = _read(service, "raised_intraocular_pressure", PAGE)
    reader = _Reader()
    reader.feed(response.text)
    same = _read(service, "raised_intraocular_pressure").json()["attributes"]

    assert "text/html; charset=utf-8" == response.headers["content-type"]
    assert [] == [part for part in same if part["description"] not in reader.words or part["title"] not in reader.words]


def test_the_page_loads_nothing_and_runs_nothing(service: Running) -> None:
    response = _read(service, "raised_intraocular_pressure", PAGE)
    reader = _Reader()
    reader.feed(response.text)

    assert not {"script", "img", "link", "iframe", "form", "a"} & set(reader.tags)
    assert not {"src", "href", "onclick", "onerror"} & set(reader.attributes)
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "nosniff" == response.headers["x-content-type-options"]


def test_text_of_the_knowledge_cannot_become_markup(service: Running) -> None:
    before = service.app.state.ports
    knowledge = _knowledge(service)
    rule = knowledge.rules[0]
    spoiled = replace(rule, title="<script>alert(1)</script>", attributes=dict.fromkeys(rule.attributes, "<b>&"))
    service.app.state.ports = replace(before, knowledge=replace(knowledge, rules=(spoiled,)))
    page = _read(service, rule.id, PAGE).text
    service.app.state.ports = before

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert [] == re.findall(r"<script|<b>", page)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.9", "application/json"),
        ("text/html;q=x", "application/json"),
        ("text/html", "text/html; charset=utf-8"),
        ("TEXT/HTML, */*;q=0.1", "text/html; charset=utf-8"),
    ],
)
def test_who_asks_for_a_page_gets_one_and_everybody_else_json(service: Running, accept: str, media_type: str) -> None:
    response = _read(service, "raised_intraocular_pressure", accept)

    assert (media_type, "Accept") == (response.headers["content-type"], response.headers["vary"])


@pytest.mark.parametrize("rule_id", ["no_such_rule", "..%2f..%2fetc", "%3Cscript%3E"])
def test_a_rule_that_is_not_there_is_404(service: Running, rule_id: str) -> None:
    response = _read(service, rule_id, PAGE)

    assert 404 == response.status_code
    assert [] == outcome_violations(response.json())
    assert "script" not in response.text


def test_links_begin_with_the_public_address_if_it_is_set(service: Running) -> None:
    settings = service.app.state.settings
    service.app.state.settings = settings.model_copy(
        update={"public_base_url": "https://cds.hospital.example/ketamine"}
    )
    card = service.post(body(request())).json()["cards"][0]
    service.app.state.settings = settings

    assert card["links"][0]["url"].startswith("https://cds.hospital.example/ketamine/knowledge/")


def test_else_they_begin_with_the_address_that_the_call_named(service: Running) -> None:
    card = service.post(body(request()), host="localhost:8000").json()["cards"][0]

    assert "localhost:8000" == urlsplit(card["links"][0]["url"]).netloc
