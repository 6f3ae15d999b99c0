"""``cds client``: make an EHR's keys, register EHRs, list them, and prove that a registration works."""

import argparse
import json
from pathlib import Path
from typing import Any

import msgspec

from cds.audit.visible import visible
from cds.cli import client_proof
from cds.cli.options import Commands, add_command, read_settings
from cds.ehr.keypair import KeyPair, make_key_pair, read_key_pair, write_key_pair
from cds.errors import TrustError
from cds.hooks.prefetch import sources, templates
from cds.knowledge.load import load_knowledge
from cds.trust.registration import Entry, Registration, read_registration
from cds.trust.registry import Registry, read_entries, write_entries


def add_commands(commands: Commands) -> None:
    """Add ``client`` with its four commands."""
    about = "Register EHRs that may call; nobody else may, where CDS_PROFILE=production."
    client = commands.add_parser("client", help=about, description=about)
    parts = client.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_key(parts)
    _add_add(parts)
    listing = add_command(
        parts,
        "list",
        _list,
        "List the registered EHRs: what their tokens must say, their keys, and what they may do.",
        {0: "listed", 2: "the clients' file cannot be used"},
        "cds client list",
    )
    clients_option(listing)
    client_proof.add_command_to(parts)


def _add_key(commands: Commands) -> None:
    key = add_command(
        commands,
        "key",
        _key,
        "Make the pair of keys with which an EHR signs, and print the public half as a JWK set.\n\n"
        "The private key goes to FILE, which only its owner may read. A key that is there already is kept.",
        {0: "made, or there already", 2: "the file cannot be used"},
        "cds client key ehr.pem --jwks ehr.jwks.json",
    )
    key.add_argument("file", metavar="FILE", type=Path, help="where the private key is, or goes")
    key.add_argument("--algorithm", choices=("ES384", "RS384"), default="ES384", help="default: ES384")
    key.add_argument("--jwks", metavar="FILE", type=Path, help="write the JWK set there instead of printing it")


def _add_add(commands: Commands) -> None:
    add = add_command(
        commands,
        "add",
        _add,
        "Register an EHR. A running service takes note within a second.\n\n"
        "What its tokens say of tenant and subject must be registered as well: without the option they must not have\n"
        "that claim. To change a registration, edit the file, or use --replace.",
        {0: "registered, or registered just so already", 2: "something does not fit; nothing is changed"},
        "cds client add north --issuer https://north.example --jwks north.jwks.json "
        "--fhir-base https://north.example/fhir",
    )
    add.add_argument("name", metavar="NAME", help="what you call it: lower-case letters, digits and -")
    add.add_argument("--issuer", metavar="ISS", required=True, help="the iss of its tokens")
    add.add_argument("--tenant", metavar="TENANT", help="the tenant of its tokens")
    add.add_argument("--subject", metavar="SUB", help="the sub of its tokens (Epic: the client id)")
    add.add_argument("--jwks", metavar="FILE", type=Path, help="its public keys, a JWK set")
    add.add_argument("--jwks-url", metavar="URL", help="where it publishes its keys")
    add.add_argument("--audience", metavar="AUD", action="append", help="an aud to accept besides the called address")
    add.add_argument("--fhir-base", metavar="URL", action="append", help="a FHIR server whose data it may ask about")
    add.add_argument("--deadline-ms", metavar="N", type=int, help="from the end of its call to the answer")
    add.add_argument("--never-sends", metavar="KEY", action="append", help="a prefetch key of which it keeps no data")
    add.add_argument("--calls-per-minute", metavar="N", type=int, help="how many calls it may make")
    add.add_argument("--shadow", action="store_true", help="assess and record its calls, but answer without cards")
    add.add_argument("--replace", action="store_true", help="replace the registration of this name, if there is one")
    clients_option(add)


def clients_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--clients``."""
    parser.add_argument("--clients", metavar="FILE", type=Path, help="the clients' file (default: CDS_CLIENTS)")


def _key(options: argparse.Namespace) -> int:
    pair = _kept_or_new(options)
    jwks = json.dumps(pair.public_jwks, indent=2)
    if options.jwks is None:
        print(jwks)
        return 0
    try:
        options.jwks.write_text(jwks + "\n", encoding="utf-8")
    except OSError as error:
        raise TrustError("CDS-605", str(options.jwks), f"It cannot be written: {error.strerror}.") from None
    print(f"{options.file} ({pair.algorithm}, keep it private), {options.jwks} (public)")
    return 0


def _kept_or_new(options: argparse.Namespace) -> KeyPair:
    if options.file.exists():
        pair = read_key_pair(options.file)
        if pair.algorithm != options.algorithm:
            what = f"The key that is there is one for {pair.algorithm}; it is not overwritten."
            raise TrustError("CDS-605", str(options.file), what, action="Name another file.")
        return pair
    pair = make_key_pair(options.algorithm)
    write_key_pair(pair, options.file)
    return pair


def _add(options: argparse.Namespace) -> int:
    settings = read_settings(clients=options.clients)
    entry = _entry(options)
    _check_keys_sent(entry, settings.knowledge_dir)
    entries = read_entries(settings.clients) if settings.clients.exists() else ()
    same_name = next((one for one in entries if one.name == entry.name), None)
    if same_name == entry:
        print(f"{entry.name} is already registered just so in {settings.clients}.")
        return 0
    if same_name and not options.replace:
        what = f"Another registration has the name {entry.name!r}."
        raise TrustError("CDS-606", str(settings.clients), what, action="Choose another, or give --replace.")
    write_entries(settings.clients, [*(one for one in entries if one is not same_name), entry])
    print(f"{entry.name} is registered in {settings.clients}.")
    print(_words(read_registration(entry, entry.name)))
    return 0


def _entry(options: argparse.Namespace) -> Entry:
    members: dict[str, Any] = {
        "name": options.name,
        "issuer": options.issuer,
        "tenant": options.tenant,
        "subject": options.subject,
        "jwks": _jwks(options.jwks) if options.jwks else None,
        "jwks_url": options.jwks_url,
        "audiences": options.audience or (),
        "fhir_bases": options.fhir_base or (),
        "deadline_ms": options.deadline_ms,
        "never_sends": options.never_sends or (),
        "calls_per_minute": options.calls_per_minute,
        "shadow": options.shadow,
    }
    try:
        return msgspec.convert(members, Entry)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at ")
        option = "--" + place.strip("`").removeprefix("$.").replace("_", "-")
        raise TrustError("CDS-601", "NAME" if option == "--name" else option, f"{what}.") from None


def _jwks(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise TrustError("CDS-603", str(path), f"It cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise TrustError("CDS-603", str(path), "It is not JSON.", "A JWK set.") from None


def _check_keys_sent(entry: Entry, knowledge_folder: Path) -> None:
    """Refuse a key that discovery does not offer: its silence would be taken for nothing, or a typing error lost."""
    if not entry.never_sends:
        return
    offered = sorted(sources(templates(load_knowledge(knowledge_folder))))
    for key in entry.never_sends:
        if key not in offered:
            expected = f"One of: {', '.join(offered)}."
            raise TrustError("CDS-601", "--never-sends", f"There is no prefetch key {key!r}.", expected)


def _list(options: argparse.Namespace) -> int:
    settings = read_settings(clients=options.clients)
    registrations = Registry.load(settings.clients).registrations
    for registration in registrations:
        print(registration.client.name)
        print(_words(registration))
    if not registrations:
        print(f"No EHR is registered in {settings.clients}: every call is refused.")
    return 0


def _words(registration: Registration) -> str:
    """Return what is registered, one member a line."""
    client = registration.client
    keys = [f"{key.kid} ({key.algorithm})" for key in registration.keys.values()]
    said = {
        "iss": client.issuer,
        "tenant": client.tenant or "(must be absent)",
        "sub": client.subject or "(must be absent)",
        "keys": ", ".join([*keys, *([f"those at {registration.jwks_url}"] if registration.jwks_url else [])]),
        "aud": ", ".join(["the address that is called", *client.audiences]),
        "FHIR servers": ", ".join(client.fhir_bases) or "(none: data must come as prefetch)",
        "deadline": f"{client.deadline_ms} ms" if client.deadline_ms else "",
        "never sends": ", ".join(sorted(client.never_sends)),
        "limit": f"{client.calls_per_minute} calls a minute" if client.calls_per_minute else "",
        "shadow": "its calls are answered without cards" if client.shadow else "",
    }
    return "\n".join(visible(f"  {name:<13} {value}") for name, value in said.items() if value)
