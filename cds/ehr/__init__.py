"""The other side of the conversation: what an EHR does, for demonstrations, tests and `cds seed` and `cds ask`.

Nothing here is used to answer a hook. It stands in for the EHR: it loads patients into a FHIR server (`seeding`), fills
the prefetch templates from that server (`prefetch`) or from a Bundle in memory (`memory`), and calls the service
(`calls`).

>>> from cds.ehr import ask_about, connect
>>> with connect("http://127.0.0.1:28081/fhir") as fhir, connect("http://127.0.0.1:8000") as service:  # doctest: +SKIP
...     conversation = ask_about(fhir, service, "boris", order, "order-select")
...     conversation.response["cards"]
"""

from cds.ehr.calls import Conversation, ask, ask_about, call, discover, read_order, request_for, request_from
from cds.ehr.prefetch import Prefetched, fill_prefetch
from cds.ehr.seeding import read_bundles, seed
from cds.ehr.wire import Json, connect

__all__ = [
    "Conversation",
    "Json",
    "Prefetched",
    "ask",
    "ask_about",
    "call",
    "connect",
    "discover",
    "fill_prefetch",
    "read_bundles",
    "read_order",
    "request_for",
    "request_from",
    "seed",
]
