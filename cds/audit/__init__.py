"""The record: every call leaves one durable entry before its answer goes out.

`record` holds what a call was, `seal` turns it into an envelope and redactable sections (pure), `writer` makes
it durable, `queries` and `words` read it back.
"""
