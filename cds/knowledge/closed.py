"""The closed schema: a key that is not known is an error that names the keys that are."""

import difflib
import re
from collections.abc import Iterable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from cds.errors import KnowledgeError
from cds.knowledge.strict_yaml import Document

Schema = TypeVar("Schema", bound=BaseModel)

_THRESHOLDS = frozenset({"above", "at_least", "below", "at_most", "above_upper_limit"})


class Closed(BaseModel):
    """A mapping in a file of cards/: nothing is converted, and no key is allowed that is not listed."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: object) -> object:
        if not isinstance(data, dict):
            raise PydanticCustomError("not_mapping", "Keys and values were expected here.")
        known = sorted(field.alias or name for name, field in cls.model_fields.items())
        for key in data:
            if key not in known:
                raise PydanticCustomError("unknown_key", "Unknown key", {"key": key, "known": known})
        return data


def parse(schema: type[Schema], document: Document) -> tuple[Schema | None, list[KnowledgeError]]:
    """Return a file's content as the schema has it, or everything that the schema refuses, with lines."""
    try:
        return schema.model_validate(document.data), []
    except ValidationError as error:
        details = [one for one in error.errors(include_url=False) if not _follows(one, error)]
        return None, [_refusal(document, one) for one in details]


def _follows(details: ErrorDetails, error: ValidationError) -> bool:
    """Say whether a list is called too short only because all that stands in it was refused."""
    place = details["loc"]
    others = (one["loc"] for one in error.errors(include_url=False) if one["loc"] != place)
    return details["type"] == "too_short" and any(other[: len(place)] == place for other in others)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a question with the most similar known word, or an empty string.

    >>> did_you_mean("glaucom", ["glaucoma", "migraine"])
    "Did you mean 'glaucoma'?"
    """
    similar = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean '{similar[0]}'?" if similar else ""


def _refusal(document: Document, details: ErrorDetails) -> KnowledgeError:
    keys = tuple(key for key in details["loc"] if key != "[key]")
    context, kind = details.get("ctx", {}), details["type"]
    if kind == "unknown_key":
        key, known = context["key"], context["known"]
        expected = did_you_mean(key, known) or f"Known here: {', '.join(known)}."
        return KnowledgeError("CDS-105", document.where(*keys, key), f"Unknown key '{key}'.", expected)
    if kind == "missing":
        return KnowledgeError("CDS-105", document.where(*keys[:-1]), f"The key '{keys[-1]}' is missing.")
    if kind == "string_type" and isinstance(details["input"], (int, bool)):
        value = str(details["input"]).lower() if isinstance(details["input"], bool) else details["input"]
        what = f"{value} is not text."
        return KnowledgeError("CDS-103", document.where(*keys), what, f'Write it in quotes: "{value}".')
    if kind == "value_error":
        code = "CDS-106" if keys and keys[-1] in _THRESHOLDS else "CDS-105"
        return KnowledgeError(code, document.where(*keys), str(context["error"]))
    return _wrong_value(document.where(*keys), details)


def _wrong_value(where: str, details: ErrorDetails) -> KnowledgeError:
    value, expected = details["input"], str(details.get("ctx", {}).get("expected", ""))
    if expected and isinstance(value, str):
        choices = re.findall(r"'([^']*)'", expected)
        return KnowledgeError("CDS-105", where, f"'{value}' is not allowed here.", f"Expected {expected}.",
                              did_you_mean(value, choices))  # fmt: skip
    return KnowledgeError("CDS-105", where, f"{details['msg'].rstrip('.')}.")
