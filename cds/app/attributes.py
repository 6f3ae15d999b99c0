"""The 13 source attributes of a rule, for a machine and for a person.

Source: 45 CFR 170.315(b)(11)(iv)(A); which patient data a rule uses is checked against its criteria when it is loaded.
"""

from html import escape

import orjson

from cds.engine.rules import Knowledge, Rule

HTML_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
}
"""The page loads nothing, runs nothing and stands in no frame."""

JSON_HEADERS = {"X-Content-Type-Options": "nosniff", "Vary": "Accept"}
"""The same address answers a browser with the page."""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: source attributes</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }}
dt {{ font-weight: 600; margin-top: 1rem; }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
p.small {{ color: #595959; font-size: .875rem; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>What this advice rests on, and which data of the patient it uses (45 CFR 170.315(b)(11)(iv)(A)).</p>
<dl>
{rows}
</dl>
<p class="small">Rule {rule_id}, version {version}. Knowledge {knowledge}, {digest}. Advisory; not a medical device.</p>
</body>
</html>
"""


def attributes_json(rule: Rule, knowledge: Knowledge) -> bytes:
    """Return the attributes of a rule as JSON, in the order of the regulation."""
    attributes = [
        {"number": number, "name": name, "title": title, "description": rule.attributes[name]}
        for number, (name, title) in enumerate(knowledge.attribute_titles.items(), start=1)
    ]
    said = {
        "rule": rule.id,
        "title": rule.title,
        "version": rule.version,
        "knowledge": {"version": knowledge.version, "digest": knowledge.digest},
        "attributes": attributes,
    }
    return orjson.dumps(said)


def attributes_page(rule: Rule, knowledge: Knowledge) -> bytes:
    """Return the attributes of a rule as a page that needs nothing else."""
    rows = "\n".join(
        f"<dt>{number}. {escape(title)}</dt>\n<dd>{escape(rule.attributes[name])}</dd>"
        for number, (name, title) in enumerate(knowledge.attribute_titles.items(), start=1)
    )
    page = _PAGE.format(
        title=escape(rule.title),
        rows=rows,
        rule_id=escape(rule.id),
        version=rule.version,
        knowledge=escape(knowledge.version),
        digest=escape(knowledge.digest),
    )
    return page.encode()


def wants_a_page(accept: str) -> bool:
    """Say whether an Accept header asks for HTML rather than JSON; without a preference it is JSON.

    >>> wants_a_page("text/html,application/xhtml+xml,*/*;q=0.8"), wants_a_page("*/*"), wants_a_page("")
    (True, False, False)
    >>> wants_a_page("text/html;q=0.5, application/json")
    False
    """
    weights: dict[str, float] = {}
    for part in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights[media_type] = next((_weight(one) for one in parameters if one.startswith("q=")), 1.0)
    any_json = max(weights.get("application/*", 0), weights.get("*/*", 0))
    return weights.get("text/html", 0) > weights.get("application/json", any_json)


def _weight(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0
