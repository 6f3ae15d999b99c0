"""What happens to one call, from its bytes to its answer (`answer`), and what that depends on (`ports`)."""

from cds.service.answer import answer, consider, warm_up
from cds.service.completing import open_reader
from cds.service.ports import Answer, Incoming, Ports, Recorder

__all__ = ["Answer", "Incoming", "Ports", "Recorder", "answer", "consider", "open_reader", "warm_up"]
