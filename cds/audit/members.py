"""Read members of stored JSON with their types: what is missing or of another type is empty."""

from cds.audit.canonical import JsonValue

Section = dict[str, JsonValue]


def text(value: Section, name: str) -> str:
    """Return a member as text; a number as its digits, anything else and nothing as an empty string.

    >>> text({"count": 3}, "count"), text({}, "count")
    ('3', '')
    """
    member = value.get(name)
    return str(member) if isinstance(member, str | int) and not isinstance(member, bool) else ""


def texts(value: Section, name: str) -> list[str]:
    """Return a member that is a list of texts."""
    member = value.get(name)
    return [item for item in member if isinstance(item, str)] if isinstance(member, list) else []


def child(value: Section, name: str) -> Section:
    """Return a member that is an object."""
    member = value.get(name)
    return member if isinstance(member, dict) else {}


def children(value: Section, name: str) -> list[Section]:
    """Return a member that is a list of objects."""
    member = value.get(name)
    return [item for item in member if isinstance(item, dict)] if isinstance(member, list) else []
