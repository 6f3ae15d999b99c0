"""Medications to which drug lists refer and that were not sent: what has to be read from the FHIR server.

Source: clinical/rules.md D-DRUG, D-MED (contained, then the Bundle, then the prefetch, then the FHIR server).
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from cds.fhir.answers import PRODUCTS, Item, look_up, open_answers
from cds.fhir.context import ReadContext, Received
from cds.fhir.drug import product_address, read_contained
from cds.fhir.entries import DrugUseResource, whose
from cds.fhir.references import Subject

_MOST = 100
_PER_SEARCH = 25
_MOST_SINGLE = 20
_ADDRESS = re.compile(r"Medication/[A-Za-z0-9\-.]{1,64}")
_REFERS = re.compile(rb'"medication(?:Reference)?"')


def missing_products(received: Mapping[str, Received], context: ReadContext) -> tuple[str, ...]:
    """Return ``Medication/id`` of every Medication that a drug of this patient refers to and that is not there."""
    if not any(_REFERS.search(bytes(page)) for one in received.values() for page in one.pages):
        return ()
    items = [item for answer in open_answers(received, context) for item in answer.items]
    return on_server(_missing(items, context))


def on_server(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return those addresses that lie on the FHIR server itself, each once and at most a hundred."""
    return tuple(dict.fromkeys(one for one in addresses if _ADDRESS.fullmatch(one)))[:_MOST]


def searches(addresses: tuple[str, ...]) -> dict[str, str]:
    """Return the queries that find these Medications together, by a key for each.

    >>> searches(("Medication/1", "Medication/2"))
    {'medication_products_1': 'Medication?_id=1,2&_count=25'}
    """
    ids = [address.removeprefix("Medication/") for address in addresses]
    if len(ids) == 1:
        return {f"{PRODUCTS}_1": addresses[0]}
    parts = [ids[start : start + _PER_SEARCH] for start in range(0, len(ids), _PER_SEARCH)]
    return {
        f"{PRODUCTS}_{number}": f"Medication?_id={','.join(part)}&_count={_PER_SEARCH}"
        for number, part in enumerate(parts, start=1)
    }


def single_reads(addresses: tuple[str, ...]) -> dict[str, str]:
    """Return queries that read some of these Medications one by one: not every server searches by several ids."""
    return {f"{PRODUCTS}_{address}": address for address in addresses[:_MOST_SINGLE]}


def together(replies: Iterable[Received]) -> Received:
    """Return what several queries for Medications brought, as one."""
    every = list(replies)
    failures = dict.fromkeys(one.failure for one in every if one.failure)
    pages = tuple(page for one in every for page in one.pages)
    return Received(pages, next((one.origin for one in every if one.origin), ""), "; ".join(failures))


def _missing(items: list[Item], context: ReadContext) -> Iterator[str]:
    lookup = look_up(items, context)
    for item in items:
        use = item.resource
        if isinstance(use, DrugUseResource) and whose(use, lookup.addresses) is Subject.OURS:
            address = product_address(use, lookup)
            known = address in lookup.medications or address in read_contained(use.contained).medications
            if address and not known:
                yield address
