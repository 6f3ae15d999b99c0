"""A log has its own two keys, made once, by somebody who asked for them."""

from pathlib import Path

import pytest

from cds.audit.keys import KeyFiles, read_signer
from cds.audit.writer import open_recorder
from cds.errors import AuditError
from tests.audit.filling import filled
from tests.audit.records import SOFTWARE, failure, recorder_in


def test_without_being_asked_no_keys_are_made_outside_of_development(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path / "keys" / "pseudonym.key", may_make=False)
    with pytest.raises(AuditError, match=r"CDS-404 .*cds log init"):
        open_recorder(tmp_path / "data" / "record.sqlite", files, SOFTWARE)

    assert not (tmp_path / "keys").exists()


def test_keys_of_development_are_refused_outside_of_it(tmp_path: Path) -> None:
    filled(tmp_path)

    with pytest.raises(AuditError, match=r"CDS-404 .*development"):
        open_recorder(
            tmp_path / "data" / "record.sqlite", KeyFiles(tmp_path / "keys" / "pseudonym.key", may_make=False), SOFTWARE
        )


def test_keys_that_were_asked_for_are_used_and_made_only_once(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path / "keys" / "pseudonym.key", tmp_path / "hsm" / "signing.key", may_make=False)
    made = files.make("cds.example/audit/1").verification_key
    recorder = open_recorder(tmp_path / "data" / "record.sqlite", files, SOFTWARE)
    recorder.append(failure())
    recorder.close()

    assert str(made) == recorder.verification_key
    with pytest.raises(AuditError, match="CDS-404"):
        files.make("cds.example/audit/2")
    assert made == read_signer(files.signing_path).verification_key


def test_keys_that_may_be_there_already_are_made_once_and_left_alone(tmp_path: Path) -> None:
    """What brings a service up can be repeated, and never gives a log another key or another name."""
    files = KeyFiles(tmp_path / "pseudonym.key")

    made = files.make("cds.example/audit/1", if_missing=True).verification_key

    assert made == files.make("cds.example/audit/1", if_missing=True).verification_key
    with pytest.raises(AuditError, match=r"CDS-404 .*cds\.example/audit/1"):
        files.make("cds.example/audit/2", if_missing=True)


@pytest.mark.parametrize("name", ["pseudonym.key", "signing.key"])
def test_the_lost_one_of_two_keys_is_not_made_again(tmp_path: Path, name: str) -> None:
    """It is in a backup; with a new one the log would not open."""
    files = KeyFiles(tmp_path / "pseudonym.key")
    files.make("cds.example/audit/1")
    (tmp_path / name).unlink()

    with pytest.raises(AuditError, match="CDS-404"):
        files.make("cds.example/audit/1", if_missing=True)

    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nend"])
def test_a_log_is_not_called_what_a_checkpoint_could_not_hold(tmp_path: Path, origin: str) -> None:
    with pytest.raises(AuditError, match="CDS-404"):
        KeyFiles(tmp_path / "pseudonym.key").make(origin)


@pytest.mark.parametrize("content", ["", "PRIVATE+KEY+a", "00" * 32, "PRIVATE+KEY+a+00000000+AAAA"])
def test_a_damaged_signing_key_is_refused(tmp_path: Path, content: str) -> None:
    filled(tmp_path)
    (tmp_path / "keys" / "signing.key").write_text(content)

    with pytest.raises(AuditError, match="CDS-404"):
        recorder_in(tmp_path)
