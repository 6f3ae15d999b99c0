"""What happens to one call, from its bytes to its answer (`answer`), and what that depends on (`ports`)."""

from cds.service.answer import answer, consider, warm_up
from cds.service.ports import Answer, Ports, Recorder

__all__ = ["Answer", "Ports", "Recorder", "answer", "consider", "warm_up"]
