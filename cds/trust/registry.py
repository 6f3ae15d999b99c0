"""The clients' file: every EHR that may call. Nobody else may."""

import contextlib
import json
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cds.errors import TrustError
from cds.trust.registration import Entry, Registration, members, read_registration

Report = Callable[[str, Mapping[str, str | float | None]], None]
"""Takes an event, a past fact, and its values: goes to the operational log."""

_CHECKED_EVERY_SECONDS = 1.0


class _File(msgspec.Struct, forbid_unknown_fields=True):
    clients: tuple[Entry, ...]


class Registry:
    """The registered EHRs; no two of them can be meant by one token.

    Raises:
        TrustError: CDS-602 if two registrations have the same name, or the same issuer, tenant and subject.
    """

    def __init__(self, registrations: Iterable[Registration], where: str = "clients") -> None:
        self.registrations = tuple(registrations)
        self._by_claims: dict[tuple[str, str, str], Registration] = {}
        names = set[str]()
        for one in self.registrations:
            name = one.client.name
            if name in names:
                raise TrustError(
                    "CDS-602", where, f"Two clients have the name {name!r}.", "A name of its own for each."
                )
            if other := self._by_claims.get(one.claims):
                what = f"A token of {name!r} could as well be one of {other.client.name!r}."
                expected = "Another issuer, tenant or subject for each client."
                raise TrustError("CDS-602", where, what, expected)
            names.add(name)
            self._by_claims[one.claims] = one

    @classmethod
    def load(cls, path: Path) -> "Registry":
        """Return the clients of a file.

        Raises:
            TrustError: CDS-601 if it cannot be read, CDS-602 and CDS-603 if a registration cannot be used.
        """
        entries = read_entries(path)
        return cls((read_registration(entry, f"{path}: {entry.name}") for entry in entries), str(path))

    def find(self, issuer: str, tenant: str, subject: str) -> Registration | None:
        """Return the only EHR whose tokens have exactly these claims; an empty one is a claim that is absent."""
        return self._by_claims.get((issuer, tenant, subject))


class WatchedRegistry:
    """The clients of a file, read again when it changes; a file that cannot be used any more changes nothing.

    The file is looked at once a second at most.

    Raises:
        TrustError: as `Registry.load`, at the start only.
    """

    def __init__(self, path: Path, report: Report, clock: Callable[[], float]) -> None:
        self._path, self._report, self._clock = path, report, clock
        self._seen = _identity(path)
        self._registry = Registry.load(path)
        self._looked = clock()

    def current(self) -> Registry:
        """Return the clients as they are registered now."""
        now = self._clock()
        if now - self._looked >= _CHECKED_EVERY_SECONDS:
            self._looked = now
            self._look()
        return self._registry

    def _look(self) -> None:
        identity = _identity(self._path)
        if identity == self._seen:
            return
        self._seen = identity
        try:
            self._registry = Registry.load(self._path)
        except TrustError as error:
            self._report("clients.refused", {"problem": error.code})
        else:
            self._report("clients.reloaded", {"clients": len(self._registry.registrations)})


def read_entries(path: Path) -> tuple[Entry, ...]:
    """Return the entries of the clients' file as they stand.

    Raises:
        TrustError: CDS-601, with the place of the mistake.
    """
    action = "cds client add registers an EHR; docs/integrators.md has an example."
    try:
        return msgspec.json.decode(path.read_bytes(), type=_File).clients
    except OSError as error:
        raise TrustError("CDS-601", str(path), f"It cannot be read: {error.strerror}.", action=action) from None
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        where = f"{path}: {place.strip('`').removeprefix('$').removeprefix('.')}" if place else str(path)
        expected = f"A client has {', '.join(Entry.__struct_fields__)}."
        raise TrustError("CDS-601", where, f"{what}.", expected, action) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise TrustError("CDS-601", str(path), "It is not JSON.", '{"clients": [...]}.', action) from None


def write_entries(path: Path, entries: Iterable[Entry]) -> None:
    """Replace the clients' file in one step; only its owner may read it.

    Raises:
        TrustError: CDS-601 if it cannot be written, CDS-602 and CDS-603 if a registration cannot be used: then
            nothing is changed.
    """
    kept = tuple(entries)
    Registry((read_registration(entry, f"{path}: {entry.name}") for entry in kept), str(path))
    document: dict[str, Any] = {"clients": [members(entry) for entry in kept]}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise TrustError("CDS-601", str(path), f"It cannot be written: {error.strerror}.") from None


def _replace(path: Path, content: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Return what changes whenever the file does; None while it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
