"""The command line with one broken part, whose error says all that it was given: the worst that an exception can do.

``BREAK`` names the part: ``answer`` or ``record``. Only calls that hold a canary break it; the start does not.
"""

import os
import sys
from typing import Any, NoReturn

import cds.service.answer  # noqa: F401 - the module, which the function of the same name hides
from cds.audit.writer import Recorder
from cds.cli import main

MARK = "canary"
_ANSWER: Any = sys.modules["cds.service.answer"]
_compose, _append = _ANSWER.compose, Recorder.append_async


def _fail(*given: object) -> NoReturn:
    raise RuntimeError(f"{given}")


def _composing(*given: object) -> object:
    return _fail(*given) if MARK in repr(given) else _compose(*given)


async def _appending(recorder: Recorder, record: Any) -> None:  # noqa: ANN401 - whatever record
    _fail(record) if MARK in repr(record) else await _append(recorder, record)


if __name__ == "__main__":
    if os.environ["BREAK"] == "answer":
        _ANSWER.compose = _composing
    else:
        setattr(Recorder, "append_async", _appending)  # noqa: B010 - a method is not assigned to in typed code
    sys.exit(main())
