"""A checkpoint counts only if it is signed with the key that the auditor holds."""

import hashlib
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cds.audit.offline.notes import NotProvenError, VerificationKey, is_number, read_key
from cds.audit.signing import Signer

GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
SIGNER = Signer("cds.example/audit/1", bytes(range(32)))
ROOT = hashlib.sha256(b"root").digest()
NOTE = SIGNER.checkpoint(17, ROOT).note


def test_a_note_of_another_implementation_verifies() -> None:
    """The example in the documentation of Go's package sumdb/note, which the format comes from."""
    key = VerificationKey.parse(GO_KEY)

    assert GO_TEXT == key.text_of(f"{GO_TEXT}\n— PeterNeumann {GO_SIGNATURE}\n")
    assert GO_KEY == str(key)


def test_our_note_is_read_by_an_independent_reader() -> None:
    """Twenty lines that share nothing with ours."""
    text, _, signature_line = NOTE.partition("\n\n")
    dash, name, encoded = signature_line.removesuffix("\n").split(" ")
    origin, size, root = text.split("\n")
    data, public = b64decode(encoded), b64decode(str(SIGNER.verification_key).split("+", 2)[2])[1:]

    Ed25519PublicKey.from_public_bytes(public).verify(data[4:], f"{text}\n".encode())
    assert ("—", origin, "17", ROOT) == (dash, name, size, b64decode(root))
    assert hashlib.sha256(f"{name}\n\x01".encode() + public).digest()[:4] == data[:4]


def test_a_checkpoint_says_origin_size_and_root() -> None:
    checkpoint = SIGNER.verification_key.checkpoint(NOTE)

    assert ("cds.example/audit/1", 17, ROOT) == (checkpoint.origin, checkpoint.size, checkpoint.root)


def test_signatures_of_others_are_passed_over() -> None:
    """So that a witness, or the next key, may sign beside the log."""
    other = Signer("witness.example", bytes(32)).checkpoint(17, ROOT).note.rpartition("\n\n")[2]

    assert 17 == SIGNER.verification_key.checkpoint(NOTE + other).size


@pytest.mark.parametrize("position", range(0, len(NOTE.encode()), 3))
@pytest.mark.parametrize("bit", [1, 32])
def test_a_checkpoint_of_which_a_bit_is_changed_is_refused(position: int, bit: int) -> None:
    changed = bytearray(NOTE.encode())
    changed[position] ^= bit

    with pytest.raises(NotProvenError):
        SIGNER.verification_key.checkpoint(changed.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    "note",
    [
        "",
        NOTE.rstrip("\n"),
        NOTE.partition("\n\n")[0] + "\n\n",
        Signer("cds.example/audit/1", bytes(32)).checkpoint(17, ROOT).note,
        Signer("cds.example/audit/2", bytes(range(32))).checkpoint(17, ROOT).note,
        NOTE.replace("— cds.example/audit/1", "— cds.example/audit/2"),
        NOTE + Signer("cds.example/audit/1", bytes(range(32))).checkpoint(18, ROOT).note.rpartition("\n\n")[2],
        SIGNER.sign("cds.example/audit/2\n17\n" + b64encode(ROOT).decode() + "\n"),
        SIGNER.sign("cds.example/audit/1\n017\n" + b64encode(ROOT).decode() + "\n"),
        SIGNER.sign("cds.example/audit/1\n17\nAAAA\n"),
        SIGNER.sign("cds.example/audit/1\n17\n" + b64encode(ROOT).decode() + "\nmore\n"),
    ],
    ids=[
        "nothing", "cut", "unsigned", "another key", "another name", "renamed signature", "a second, wrong signature",
        "another origin", "leading zero", "short root", "more lines",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_of_this_log_is_refused(note: str) -> None:
    with pytest.raises(NotProvenError):
        SIGNER.verification_key.checkpoint(note)


@pytest.mark.parametrize(
    "text", ["", "name", "name+00000000+", GO_KEY.replace("c74f", "c74e"), GO_KEY.replace("ARpc", "Arpc"), GO_KEY + "="]
)
def test_what_is_no_verification_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|verification key"):
        VerificationKey.parse(text)


def test_a_key_is_given_as_text_or_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "log.vkey").write_text(GO_KEY + "\n")

    assert read_key(GO_KEY) == read_key(str(tmp_path / "log.vkey"))


@pytest.mark.parametrize("text", ["-1", "+1", "1.0", "²", "9" * 17, "1e3", " 1"])
def test_a_number_is_written_in_one_way(text: str) -> None:
    assert not is_number(text)
