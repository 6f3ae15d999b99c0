"""Calls that are turned away in great numbers are in the record all the same: counted, not one by one."""

from pathlib import Path

from cds.audit.filters import Filters
from cds.audit.queries import LogReader
from cds.audit.record import RecordType
from tests.running import running, settings_in
from tests.trust.tokens import registered_ehr

SELECT = "/cds-services/ketamine-order-select"


def test_an_auditor_sees_how_many_calls_were_turned_away_and_why(tmp_path: Path) -> None:
    ehr = registered_ehr(tmp_path)
    with running(settings_in(tmp_path, **ehr.production, max_body_bytes=1000)) as service:
        strangers = [service.client.get("/cds-services") for _ in range(3)]
        too_large = service.post(b" " * 1001, **ehr.headers(SELECT))
        unknown = service.client.get("/nothing", headers=ehr.headers("/nothing"))

    counted = Filters(types=(RecordType.COUNTED.value,))
    with LogReader(service.database) as log:
        refused = [log.find(str(entry.seq)).envelope["refused"] for entry in log.list(counted)]
    assert [401, 401, 401, 413, 404] == [answer.status_code for answer in (*strangers, too_large, unknown)]
    assert [{"401": 3, "413": 1}] == refused
