"""What the description cannot say, said to schemathesis.

A list is asked for by page or by place: both at once is 400, and OpenAPI has no words for "not beside".
"""
import schemathesis

BY_PAGE = {"page", "page_size"}
BY_PLACE = {"offset", "limit"}


@schemathesis.hook
def filter_case(context, case):
    given = set(case.query or {})
    return not (given & BY_PAGE and given & BY_PLACE)
