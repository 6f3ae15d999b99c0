"""Each mutation of the service, or of what it answers, turns the test beside which it stands red."""

import pytest

from tests.conformance.mutations import Mutation
from tests.conformance.proofs import Proof, read_proofs
from tests.watching import violations


@pytest.mark.parametrize(
    ("proof", "mutation"),
    [
        pytest.param(proof, mutation, id=f"{proof.test.__name__}-{mutation.name}")
        for proof in read_proofs()
        for mutation in proof.mutations
    ],
)
def test_a_mutation_turns_its_test_red(proof: Proof, mutation: Mutation, request: pytest.FixtureRequest) -> None:
    given = request.getfixturevalue(proof.fixture)

    with mutation.apply(given) as broken, pytest.raises(AssertionError):
        proof.test(broken)
    violations()  # what a broken service answered is wrong, and nobody else is to be told
