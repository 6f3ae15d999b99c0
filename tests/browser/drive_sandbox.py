"""Drives a running CDS Hooks Sandbox in Chromium, from a patient to a signed order, and takes a picture of each step.

    python -m tests.browser.drive_sandbox --sandbox http://127.0.0.1:8080 --fhir http://127.0.0.1:28081/fhir \
        --service http://127.0.0.1:8000 --pictures pictures

It prints what it did and which cards came, and ends with status 1 if a step failed. How the three are started is said
in docs/sandbox.md. The Sandbox itself is no part of this repository.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Error, FloatRect, Locator, Page, Response, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PATIENTS = ("boris", "farid")
"""The first has CRPS and glaucoma; the second CRPS and a blood pressure out of control."""
WIDTH, HEIGHT = 1500, 2000
_LEFT_WIDTH = 715
_LEAST_HEIGHT, _MOST_HEIGHT = 430, 1300
_WAIT_MS = 20_000
_SETTLED_MS = 700
_OFFER = "For trying out"
_CRPS = "Documented indication: CRPS"
_EYES = "Eye pressure"


@dataclass
class Drive:
    """One person's way through the Sandbox.

    Attributes:
        page: the browser's page.
        pictures: the folder for the pictures, `sandbox-N-step.png`.
        taken: how many pictures there are.
    """

    page: Page
    pictures: Path
    taken: int = field(default=0)

    def picture(self, name: str, shown: Locator | None = None) -> None:
        """Take a picture of a part, or of the left half (the EHR) as far as it is filled; print all summaries."""
        self.taken += 1
        self.page.wait_for_timeout(_SETTLED_MS)
        path = self.pictures / f"sandbox-{self.taken}-{name}.png"
        if shown:
            shown.screenshot(path=path)
        else:
            self.page.screenshot(path=path, clip=self._filled())
        print(path.name, *[f"   {words}" for words in self.summaries()], sep="\n")

    def _filled(self) -> FloatRect:
        ends = [box["y"] + box["height"] for card in self.cards().all() if (box := card.bounding_box())]
        height = min(_MOST_HEIGHT, max([_LEAST_HEIGHT, *ends]) + 15)
        return {"x": 0, "y": 0, "width": _LEFT_WIDTH, "height": height}

    def cards(self) -> Locator:
        """Return the cards on the page."""
        return self.page.locator("[class*=decision-card]")

    def card(self, words: str) -> Locator:
        """Return the card with these words."""
        return self.cards().filter(has_text=words)

    def summaries(self) -> list[str]:
        """Return the first line of each card."""
        return [text.strip().partition("\n")[0] for text in self.cards().all_inner_texts()]

    def press(self, label: str, inside: Locator | None = None) -> None:
        """Press a button by its label."""
        (inside or self.page).get_by_role("button", name=label, exact=True).first.click()

    def report(self, label: str, inside: Locator) -> None:
        """Press a button of a card that reports feedback, and wait until the service has it."""
        with self.page.expect_response("**/feedback") as answered:
            self.press(label, inside)
        self.taken_by(answered.value)

    def taken_by(self, answer: Response) -> None:
        """Print what was reported and how it was answered; anything but 200 is a failure."""
        print(f"   feedback {answer.request.post_data}: {answer.status}")
        assert answer.status == 200


def main() -> int:
    """Drive the Sandbox as the arguments say.

    Returns:
        0 if every step went as expected, else 1.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sandbox", required=True, help="the Sandbox's address")
    parser.add_argument("--fhir", required=True, help="base URL of an open FHIR R4 server with fhir_fixtures/patients")
    parser.add_argument("--service", required=True, help="base URL of the service, with CDS_ORDER_FOR_TESTING=true")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="folder for the pictures")
    parser.add_argument("--chromium", type=Path, default=CHROMIUM, help="the browser's program")
    given = parser.parse_args()
    given.pictures.mkdir(parents=True, exist_ok=True)
    first, second = (_address(given.sandbox, given.fhir, patient) for patient in PATIENTS)
    with _browser(given.chromium) as page:
        drive = Drive(page, given.pictures)
        try:
            _add_service(drive, first, f"{given.service}/cds-services")
            _order(drive)
            _give_reason(drive)
            _override(drive)
            _sign(drive)
            _take_suggestions(drive, second)
        except (Error, AssertionError) as error:
            page.screenshot(path=given.pictures / "failed.png")
            print(f"Failed after picture {drive.taken}: {error}", file=sys.stderr)
            return 1
    return 0


def _address(sandbox: str, fhir: str, patient: str) -> str:
    return f"{sandbox}/?{urlencode({'fhirServiceUrl': fhir, 'patientId': patient})}"


@contextmanager
def _browser(program: Path) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(_WAIT_MS)
        expect.set_options(timeout=_WAIT_MS)
        yield page
        browser.close()


def _add_service(drive: Drive, start: str, discovery: str) -> None:
    """Open the patient and add our services by the Sandbox's own dialog."""
    page = drive.page
    page.goto(start)
    page.get_by_test_id("SettingsIcon").first.click()
    page.get_by_role("menuitem", name="Add CDS Services").click()
    page.fill("input[name=discovery-endpoint-input]", discovery)
    drive.picture("add-services", page.get_by_role("dialog"))
    drive.press("Save")
    page.get_by_role("dialog").wait_for(state="hidden")
    expect(page.get_by_text("No recommendations")).to_have_count(1)
    drive.picture("patient-view")


def _order(drive: Drive) -> None:
    """Order ketamine by the suggestion of the service for trying out."""
    drive.page.get_by_text("Rx View").first.click()
    expect(drive.card(_OFFER)).to_have_count(1)
    drive.picture("order-ketamine")
    drive.report("Order ketamine", drive.card(_OFFER))
    expect(drive.card(_OFFER)).to_have_count(0)
    expect(drive.card(_CRPS)).to_have_count(1)
    drive.picture("cards")


def _give_reason(drive: Drive) -> None:
    """Choose what the order is for; the next call carries it."""
    with drive.page.expect_response("**/ketamine-order-select") as answered:
        drive.page.locator("input[id^=react-select]").first.click()
        drive.page.keyboard.type("Complex")
        drive.page.keyboard.press("Enter")
    print(f"   reasonCode sent: {'reasonCode' in (answered.value.request.post_data or '')}")
    expect(drive.card("reason of the order")).to_have_count(1)
    drive.picture("reason", drive.card(_CRPS))


def _override(drive: Drive) -> None:
    """Dismiss the critical card with a reason."""
    card = drive.card(_EYES)
    card.get_by_label("select dismiss reason").click()
    drive.picture("override-reasons")
    with drive.page.expect_response("**/feedback") as answered:
        drive.page.get_by_role("menuitem", name="Specialist").first.click()
    drive.taken_by(answered.value)
    expect(card).to_have_count(0)
    drive.picture("overridden")


def _sign(drive: Drive) -> None:
    """Sign the order: what is critical comes again."""
    drive.page.get_by_text("Rx Sign").first.click()
    drive.page.get_by_role("button", name="Sign Order").wait_for()
    drive.press("Sign Order")
    expect(drive.card(_EYES)).to_have_count(1)
    drive.picture("signed")


def _take_suggestions(drive: Drive, start: str) -> None:
    """Take, of another patient, a suggestion that the Sandbox cannot carry out, then the one that removes the order."""
    page = drive.page
    page.goto(start)
    page.get_by_text("Rx View").first.click()
    drive.report("Order ketamine", drive.card(_OFFER))
    card = drive.card("Remove this draft order")
    expect(card).to_have_count(1)
    drive.picture("suggestions", card)
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    drive.report("Order a 12-lead ECG", card)
    page.wait_for_timeout(_SETTLED_MS)
    print(f"   calls after an order was added: {[url for url in calls if url.endswith('order-select')]}")
    drive.report("Remove this draft order", card)
    expect(drive.card(_OFFER)).to_have_count(1)
    expect(drive.cards()).to_have_count(1)
    drive.picture("order-removed")


if __name__ == "__main__":
    raise SystemExit(main())
