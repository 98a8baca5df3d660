"""Which column of a table means what."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from tellback.kernel.errors import Invalid

#: What each field is called in files that people have; compared without case, blanks, dots and underscores.
NAMES: dict[str, tuple[str, ...]] = {
    field: tuple(names.split())
    for field, names in {
        "text": """
            text content message feedback comment comments description body review reviewtext details
            verbatim response note messagebody suggestionbody ideadescription valuetext answer
        """,
        "subject": "subject title reviewtitle summary headline ideatitle suggestiontitle",
        "id": """
            id reviewid feedbackid ticketid messageid submissionid externalid ideaid suggestionid pbid
        """,
        "email": """
            email emailaddress useremail authoremail customeremail requesteremail useremailaddress
            ideacreatoremailaddress messageauthoremail
        """,
        "name": """
            name author authorname username fullname customer customername requester reviewernickname
            ideacreatorname displayname createdby
        """,
        "user_id": "userid authorid customerid requesterid requesterexternalid createduserid",
        "company": "company companyname organization organisation account accountname",
        "plan": "plan tier subscription",
        "date": """
            date createdat created timestamp submittedat reviewsubmitdateandtime createddate
            createdtimestamp createdon collectedat time datetime messagecreatedat conversationcreatedat
        """,
        "rating": "rating stars starrating score reviewrating",
        "url": "url link reviewlink portalurl displayurl suggestionportalurl permalink",
        "tags": "tags labels keywords",
        "category": "category type kind feedbacktype categoryname tickettype",
        "severity": "severity priority importance urgency",
        "channel": "channel source",
        "language": "language lang locale reviewerlanguage",
        "app_version": "appversion version appversionname",
    }.items()
}


def map_columns(columns: Sequence[str], *, wanted: Mapping[str, str]) -> dict[str, str]:
    """Field -> column: what the person `wanted`, then what the headers are called; each column means one thing.

    Raises `Invalid` for a field or a column that does not exist, or when no column holds the text.
    """
    mapping = dict(_checked(columns, wanted))
    free = {_plain(column): column for column in reversed(columns) if column not in mapping.values()}
    for field, names in NAMES.items():
        found = next((free.pop(name) for name in names if name in free), None) if field not in mapping else None
        if found:
            mapping[field] = found
    if "text" not in mapping and "subject" in mapping:
        mapping["text"] = mapping.pop("subject")
    if "text" not in mapping:
        listed = ", ".join(columns[:20])
        raise Invalid(f"No column holds the text. Name it with --map text=COLUMN. The columns are: {listed}.")
    return mapping


def _checked(columns: Sequence[str], wanted: Mapping[str, str]) -> Mapping[str, str]:
    found = {}
    for field, column in wanted.items():
        if field not in NAMES:
            raise Invalid(f"There is no field “{field}”. Fields are: {', '.join(NAMES)}.")
        match = next((one for one in columns if one == column or _plain(one) == _plain(column)), None)
        if match is None:
            near = get_close_matches(column, columns, n=1, cutoff=0.0)
            raise Invalid(f"There is no column “{column}”. Did you mean “{near[0] if near else columns[0]}”?")
        found[field] = match
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
