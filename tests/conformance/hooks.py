"""What the description cannot say, said to schemathesis.

Two pairs of a list's parameters exclude each other: by page or by place, by state or by status. Both at once are 400, and OpenAPI
has no words for "not beside".

Metadata is bounded in bytes, which no schema of objects can say.
"""
import json

import schemathesis

BY_PAGE = {"page", "page_size"}
BY_PLACE = {"offset", "limit"}
STATES = {"state", "status"}
METADATA_BYTES_MAX = 1000


@schemathesis.hook
def filter_case(context, case):
    given = set(case.query or {})
    if isinstance(case.body, dict) and len(json.dumps(case.body.get("metadata"))) > METADATA_BYTES_MAX:
        return False
    return not (given & BY_PAGE and given & BY_PLACE) and not given >= STATES
