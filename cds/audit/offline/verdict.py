"""What the check of a whole log found."""

from dataclasses import dataclass, field

_MOST_PROBLEMS = 50


@dataclass(slots=True)
class Verdict:
    """What was checked, and what is wrong.

    Attributes:
        origin: the log's name.
        entries, sections, checkpoints, packages: how many of each were checked.
        redacted: how many sections are gone with an entry that says so.
        since: the time of the first entry.
        anchored: up to how many entries a checkpoint from outside covers; None without one.
        problems: what is wrong, in words; at most fifty.
        more: how many more problems there are.
        knowledge: the knowledge that entries name, with the first entry that does.
        changes: each change of the signing key: its entry, the key before and the key from then on.
    """

    origin: str
    entries: int = 0
    sections: int = 0
    checkpoints: int = 0
    packages: int = 0
    redacted: int = 0
    since: str = ""
    anchored: int | None = None
    problems: list[str] = field(default_factory=list)
    more: int = 0
    knowledge: dict[str, int] = field(default_factory=dict, repr=False)
    changes: list[tuple[int, str, str]] = field(default_factory=list, repr=False)

    def problem(self, what: str) -> None:
        """Add something that is wrong."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(what)
        else:
            self.more += 1

    @property
    def status(self) -> int:
        """Return the exit status: 0 verified, 1 not."""
        return 1 if self.problems else 0

    def words(self) -> str:
        """Return the verdict for a reader at a terminal."""
        if self.problems:
            rest = [f"  and {self.more} more"] if self.more else []
            head = f"DOES NOT VERIFY: {self.origin}, {_counted(self.entries, 'entries')}"
            return "\n".join([head, *(f"  {problem}" for problem in self.problems), *rest])
        since = f" since {self.since[:10]}" if self.since else ""
        notes, packages = _counted(self.checkpoints, "signed checkpoints"), _counted(self.packages, "packages")
        return "\n".join(
            [
                f"{_counted(self.entries, 'entries')} of {self.origin}, unbroken{since}",
                f"  {_counted(self.sections, 'sections')} as they were recorded; {self.redacted} redacted",
                f"  {notes}, {packages} of knowledge",
                *(f"  signed with another of the given keys after entry {seq}" for seq, _, _ in self.changes),
                f"  {self._tail()}",
            ]
        )

    def _tail(self) -> str:
        if self.anchored is None:
            return "Tail not anchored: no checkpoint from outside of the log was given, so it may have been cut back."
        if self.anchored == self.entries:
            return "Anchored: the checkpoint that was kept outside of the log covers every entry."
        if not self.anchored:
            return "Tail not anchored: the checkpoint that was kept outside of the log covers no entry yet."
        rest = self.entries - self.anchored
        return f"Anchored up to entry {self.anchored - 1}. Tail not anchored: {rest} after it may have been cut back."

    def json(self) -> dict[str, object]:
        """Return the verdict for programs."""
        counts = ("origin", "entries", "sections", "checkpoints", "packages", "redacted", "anchored", "problems")
        changed = [seq for seq, _, _ in self.changes]
        return {name: getattr(self, name) for name in counts} | {"problemsNotListed": self.more, "keyChanges": changed}


def _counted(number: int, what: str) -> str:
    """Return a number with its noun, given as plural.

    >>> _counted(1, "entries"), _counted(2, "packages"), _counted(1, "packages")
    ('1 entry', '2 packages', '1 package')
    """
    one = what.removesuffix("ies") + "y" if what.endswith("ies") else what.removesuffix("s")
    return f"{number} {one if number == 1 else what}"
