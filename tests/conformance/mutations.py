"""What turns a test red: named changes of the service or of its answer, written beside the test that notices them."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from unittest import mock

from tests.conformance.exchange import Change, Exchange, Reply
from tests.running import Json

Break = Callable[[Any], AbstractContextManager[Any]]
"""Takes what a test is given (an `Exchange`, mostly), and gives what a broken service is like, until the block ends."""
Edit = Callable[[Json], object]
"""Changes an object in place; what it returns does not matter."""
Test = TypeVar("Test", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to break a requirement."""

    name: str
    apply: Break


_OF_TEST: dict[Callable[..., None], list[Mutation]] = {}


def turned_red_by(name: str, apply: Break) -> Callable[[Test], Test]:
    """Say of a test that it fails with this mutation; tests/conformance/test_mutations.py proves it."""

    def note(test: Test) -> Test:
        _OF_TEST.setdefault(test, []).insert(0, Mutation(name, apply))
        return test

    return note


def mutations_of(test: Callable[..., None]) -> tuple[Mutation, ...]:
    """Return the mutations of a test, in the order in which they are written."""
    return tuple(_OF_TEST.get(test, ()))


def answering(change: Change) -> Break:
    """Break the answers."""

    @contextmanager
    def apply(exchange: Exchange) -> Iterator[Exchange]:
        yield exchange.broken(change)

    return apply


def having(target: Any, name: str, value: Any) -> Break:  # noqa: ANN401 - any part of the service
    """Break the service: one of its parts is another as long as the test runs."""

    @contextmanager
    def apply(given: Any) -> Iterator[Any]:  # noqa: ANN401
        with mock.patch.object(target, name, value):
            yield given

    return apply


def replied(**members: Any) -> Break:  # noqa: ANN401
    """Break status, headers or body of every answer."""
    return answering(lambda _, reply: replace(reply, **members))


def where(status: int, /, **members: Any) -> Break:  # noqa: ANN401
    """Break status, headers or body of the answers that have this status."""
    return answering(lambda _, reply: replace(reply, **members) if reply.status == status else reply)


def text(old: bytes, new: bytes) -> Break:
    """Break every answer by putting other bytes where some bytes stand."""
    return answering(lambda _, reply: replace(reply, content=reply.content.replace(old, new)))


def whole(edit: Edit) -> Break:
    """Break the object in the body of every success."""

    def change(_: str, reply: Reply) -> Reply:
        if reply.status != 200:
            return reply
        answer = json.loads(reply.content)
        edit(answer)
        return replace(reply, content=json.dumps(answer).encode())

    return answering(change)


def services(edit: Edit) -> Break:
    """Break every service in discovery."""
    return whole(each("services", edit))


def cards(edit: Edit) -> Break:
    """Break every card."""
    return whole(each("cards", edit))


def inside(name: str, edit: Edit) -> Break:
    """Break every item of a list of a card, such as its links."""
    return cards(each(name, edit))


def actions(edit: Edit) -> Break:
    """Break every action of every suggestion."""
    return inside("suggestions", each("actions", edit))


def each(name: str, edit: Edit) -> Edit:
    """Return an edit of every item of the list `name`."""

    def edit_all(thing: Json) -> None:
        for one in thing.get(name, []):
            edit(one)

    return edit_all


def put(**members: Any) -> Edit:  # noqa: ANN401
    """Return an edit that sets members."""
    return lambda thing: thing.update(members)


def drop(*names: str) -> Edit:
    """Return an edit that takes members out."""

    def edit(thing: Json) -> None:
        for name in names:
            thing.pop(name, None)

    return edit
