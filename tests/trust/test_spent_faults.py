"""What happens to calls when the file of spent tokens is full, held, damaged or cannot be written."""

import asyncio
import sqlite3
import time
from pathlib import Path

import pytest

from cds.errors import TrustError, TrustUnavailableError
from cds.trust import spent
from cds.trust.spent import SpentTokens
from tests.trust.spending import ISSUER, LIFE_SECONDS, NOW, spend


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jti" / "jti.sqlite"


def test_a_full_file_refuses_and_forgets_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP 503, never an unproven 200; and it goes on when tokens are over."""
    monkeypatch.setattr(spent, "_MOST_PAGES", 12)
    tokens = SpentTokens(path, NOW)
    answers = [spend(tokens, str(number)) for number in range(400)]
    used = answers.index("CDS-621")
    again = spend(tokens, "0")
    later = NOW + LIFE_SECONDS + 1
    afterwards = spend(tokens, "late", issued=later, now=later)
    tokens.close()

    assert {"new"} == set(answers[:used])
    assert again in {"CDS-620", "CDS-621"}
    assert "new" == afterwards


def test_a_file_that_cannot_be_written_is_a_503_and_not_a_refusal(path: Path) -> None:
    """The token is right: its EHR may try again."""
    tokens = SpentTokens(path, NOW)
    tokens._connection.execute("PRAGMA query_only = ON")

    with pytest.raises(TrustUnavailableError, match="CDS-621"):
        asyncio.run(tokens.spend(ISSUER, "a", NOW, NOW + LIFE_SECONDS, NOW))
    tokens._connection.execute("PRAGMA query_only = OFF")
    afterwards = spend(tokens, "a")
    tokens.close()

    assert "new" == afterwards


def test_the_event_loop_goes_on_while_another_process_holds_the_file(path: Path) -> None:
    """Calls that are already answered must not wait for a disk."""
    tokens = SpentTokens(path, NOW)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    async def spend_beside() -> float:
        spending = asyncio.create_task(tokens.spend(ISSUER, "a", NOW, NOW + LIFE_SECONDS, NOW))
        longest = 0.0
        for _ in range(20):
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began)
        holder.execute("COMMIT")
        await spending
        return longest

    longest_seconds = asyncio.run(spend_beside())
    holder.close()
    tokens.close()

    assert longest_seconds < 0.2


@pytest.mark.parametrize("content", [b"this is no database", b"SQLite format 3\x00" + bytes(5000)])
def test_a_file_that_is_no_such_database_stops_the_start(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(TrustError, match=r"CDS-604 .*jti\.sqlite"):
        SpentTokens(path, NOW)


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(TrustError, match="CDS-604"):
        SpentTokens(tmp_path / "file" / "jti.sqlite", NOW)


@pytest.mark.parametrize(("ahead_seconds", "synced"), [(-1, False), (0, False), (1, True), (30, True)])
def test_a_token_from_the_future_is_on_the_disk_before_it_is_accepted(
    path: Path, ahead_seconds: float, synced: bool
) -> None:
    """A power cut must not take its row: at the next start it would look as if it was issued since."""
    said: list[str] = []
    tokens = SpentTokens(path, NOW - 100)
    tokens._connection.set_trace_callback(said.append)

    answer = spend(tokens, "a", issued=NOW + ahead_seconds)
    tokens._connection.set_trace_callback(None)
    afterwards = tokens._connection.execute("PRAGMA synchronous").fetchone()
    tokens.close()

    assert "new" == answer
    assert synced == ("PRAGMA synchronous = FULL" in said[: said.index("COMMIT")])
    assert (1,) == afterwards, "a call whose token is of now does not wait for the disk"


def test_a_token_from_the_future_that_cannot_be_noted_is_a_503_and_the_next_call_is_as_fast_as_ever(path: Path) -> None:
    tokens = SpentTokens(path, NOW)
    tokens._connection.execute("PRAGMA query_only = ON")

    answer = spend(tokens, "a", issued=NOW + 30)
    afterwards = tokens._connection.execute("PRAGMA synchronous").fetchone()
    tokens.close()

    assert "CDS-621" == answer
    assert (1,) == afterwards
