"""docs/conformance.md says what the tests say."""

from tests.conformance.page import PAGE, page, run
from tests.conformance.proofs import read_proofs


def test_the_page_is_that_of_a_run_of_today_and_every_test_in_it_passed() -> None:
    results = run()

    assert {proof.test.__name__: "passed" for proof in read_proofs()} == results
    assert page(results) == PAGE.read_text(encoding="utf-8"), "write it anew: python -m tests.conformance.page"
