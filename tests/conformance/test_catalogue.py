"""Every requirement has a test that can fail, or says why it does not apply."""

from tests.conformance.catalogue import LEVELS, REASONS, read_requirements
from tests.conformance.proofs import read_proofs

REQUIREMENTS = read_requirements()
PROOFS = read_proofs()
PROVEN = {number for proof in PROOFS for number in proof.numbers}


def test_all_71_requirements_are_listed_once_and_in_order() -> None:
    assert list(range(1, 72)) == [one.number for one in REQUIREMENTS]


def test_every_requirement_has_a_known_level_and_one_sentence() -> None:
    assert set() == {one.level for one in REQUIREMENTS} - LEVELS
    assert [] == [one.number for one in REQUIREMENTS if not one.says.endswith(".")]


def test_a_requirement_does_not_apply_for_one_of_four_reasons_only() -> None:
    """Else a requirement that is hard to prove could be explained away."""
    assert set() == {one.not_applicable for one in REQUIREMENTS if one.not_applicable} - REASONS


def test_every_requirement_that_applies_has_a_test() -> None:
    assert [] == [one.number for one in REQUIREMENTS if not one.not_applicable and one.number not in PROVEN]


def test_no_requirement_that_does_not_apply_has_a_test_and_no_mark_names_an_unknown_one() -> None:
    assert set() == PROVEN - {one.number for one in REQUIREMENTS if not one.not_applicable}


def test_every_test_proves_a_requirement() -> None:
    assert [] == [proof.test.__name__ for proof in PROOFS if not proof.numbers]


def test_every_test_is_turned_red_by_a_mutation_of_its_own() -> None:
    """Also that of a SHOULD or a MAY: a test that cannot fail proves nothing."""
    assert [] == [proof.test.__name__ for proof in PROOFS if not proof.mutations]


def test_no_test_lists_a_mutation_twice() -> None:
    names = [(proof.test.__name__, mutation.name) for proof in PROOFS for mutation in proof.mutations]

    assert len(names) == len(set(names))
