"""What the description cannot say, said to schemathesis.

Two pairs of a list's parameters exclude each other: by page or by place, by state or by status. Both at once are 400, and OpenAPI
has no words for "not beside".

A change names the version it is meant for by If-Match or in its body, or in both alike. Schemathesis fills If-Match with what
HTTP allows there, whatever its schema says; ETags that this server never gave are 400, and no example of a right request.

Metadata is bounded in bytes, which no schema of objects can say.
"""
import json
import re

import schemathesis
from schemathesis.generation import GenerationMode

BY_PAGE = {"page", "page_size"}
BY_PLACE = {"offset", "limit"}
STATES = {"state", "status"}
METADATA_BYTES_MAX = 1000
TAG = re.compile(r'(?:\*|(?:W/)?"[1-9][0-9]{0,14}(?:\.[a-z]+)?")')


@schemathesis.hook
def filter_case(context, case):
    given = set(case.query or {})
    if given & BY_PAGE and given & BY_PLACE or given >= STATES:
        return False
    body = case.body if isinstance(case.body, dict) else {}
    if len(json.dumps(body.get("metadata"))) > METADATA_BYTES_MAX:
        return False
    tag = (case.headers or {}).get("If-Match")
    if tag is None:
        return True
    is_right = case.meta is not None and case.meta.generation.mode == GenerationMode.POSITIVE
    return "version" not in body and not (is_right and TAG.fullmatch(tag) is None)
