"""What a column can mean, for each kind of row, and what such columns are called in files that people have."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from enum import StrEnum

from tellback.kernel.errors import Invalid


class Kind(StrEnum):
    """What the rows of a table are."""

    FEEDBACK = "feedback"
    POSTS = "posts"
    COMMENTS = "comments"
    VOTES = "votes"
    PEOPLE = "people"
    MOVES = "moves"
    TAGS = "tags"
    TAGGINGS = "taggings"
    NOTES = "notes"
    NONE = "none"


#: In which order tables are read: what others refer to comes first.
ORDER = (
    Kind.PEOPLE, Kind.TAGS, Kind.FEEDBACK, Kind.POSTS, Kind.TAGGINGS, Kind.MOVES, Kind.VOTES, Kind.COMMENTS, Kind.NOTES,
    Kind.NONE,
)  # fmt: skip

#: Compared without case, blanks, dots and underscores. The first column of a table that has one of the names is taken.
NAMES: dict[str, tuple[str, ...]] = {
    field: tuple(names.split())
    for field, names in {
        "text": """
            text content message feedback comment comments description body review reviewtext details
            verbatim response note messagebody suggestionbody ideadescription valuetext answer reviewbody feedbacktext
            comment1 opinion remark remarks kommentar nachricht beschreibung rückmeldung anmerkung meinung rezension
            commentaire avis mensaje comentario opinión reseña commento comentário
        """,
        "subject": "subject title reviewtitle summary headline ideatitle suggestiontitle betreff titel titre",
        "id": """
            id reviewid feedbackid ticketid messageid submissionid externalid ideaid suggestionid pbid postid uuid
        """,
        "email": """
            email emailaddress useremail authoremail customeremail requesteremail useremailaddress
            ideacreatoremailaddress messageauthoremail mail emailadresse courriel correo
        """,
        "name": """
            name author authorname username fullname customer customername requester reviewernickname
            ideacreatorname displayname createdby requestedby kunde kundin nutzer nom client nombre cliente nome
        """,
        "user_id": "userid authorid customerid requesterid requesterexternalid createduserid authoruserid",
        "company": """
            company companyname organization organisation account accountname companydomain requesterdomain firma
            unternehmen
        """,
        "plan": "plan tier subscription",
        "date": """
            date createdat created timestamp submittedat reviewsubmitdateandtime createddate
            createdtimestamp createdon collectedat time datetime messagecreatedat conversationcreatedat datum
            erstelltam fecha data
        """,
        "rating": """
            rating stars starrating score reviewrating csat satisfactionscore satisfaction sterne bewertung
            étoiles estrellas puntuación stelle estrelas
        """,
        "url": "url link reviewlink portalurl displayurl suggestionportalurl permalink",
        "tags": "tags labels keywords schlagworte schlagwörter étiquettes etiquetas",
        "category": "category type kind feedbacktype categoryname tickettype",
        "severity": "severity priority importance urgency",
        "status": "status state statusname publicstatusname poststatus",
        "channel": "channel source",
        "language": "language lang locale reviewerlanguage",
        "app_version": "appversion version appversionname",
        "device": "device devicename",
    }.items()
}
_POSTS: dict[str, tuple[str, ...]] = {
    "title": ("title", "subject", "ideatitle", "suggestiontitle", "summary", "headline", "name"),
    "text": ("text", "content", "description", "body", "details", "ideadescription", "suggestionbody"),
    "id": ("id", "number", "ideaid", "suggestionid", "postid", "slug"),
    "email": (*NAMES["email"], "creatoremail"),
    "name": (*(name for name in NAMES["name"] if name != "name"), "creatorname"),
    "user_id": NAMES["user_id"],
    "board": ("board", "boardname", "forum", "forumname", "category", "categoryname", "postcategory"),
    "status": NAMES["status"],
    "tags": (*NAMES["tags"], "labelsname", "tagnames"),
    "votes": (
        "votes", "votecount", "votescount", "upvotes", "score", "totallikes", "likes", "voteraised", "voterscount",
    ),
    "date": NAMES["date"],
    "url": NAMES["url"],
    "response": ("response", "officialresponse", "publicstatusupdatemessage"),
    "response_date": ("responseat", "respondedat", "publicstatusupdatedtimestamp", "statuschangedat"),
    "merged_into": ("mergedinto", "originalnumber", "duplicateof", "parentid"),
    "moderation": ("moderation", "moderationstate"),
    "voter_email": ("voteremail",),
    "voter_name": ("votername",),
    "vote_date": ("votedat",),
}  # fmt: skip
_SAID: dict[str, tuple[str, ...]] = {
    "post": ("postid", "ideaid", "suggestionid", "post", "idea", "number"),
    "id": ("id", "commentid", "noteid"),
    "text": ("text", "body", "content", "comment", "value", "note"),
    "email": NAMES["email"],
    "name": (*NAMES["name"], "author"),
    "user_id": NAMES["user_id"],
    "date": NAMES["date"],
    "staff": ("isstaff", "staff", "ismod", "isadmin"),
    "parent": ("parentcommentid", "parentid", "parent"),
    "internal": ("internal", "private", "isprivate"),
}
FIELDS: dict[Kind, Mapping[str, tuple[str, ...]]] = {
    Kind.FEEDBACK: NAMES,
    Kind.POSTS: _POSTS,
    Kind.COMMENTS: _SAID,
    Kind.NOTES: _SAID,
    Kind.VOTES: {
        "post": _SAID["post"],
        "id": ("id", "voteid"),
        "email": ("voteremail", *NAMES["email"]),
        "name": ("votername", *NAMES["name"]),
        "user_id": ("voterid", *NAMES["user_id"]),
        "date": NAMES["date"],
    },
    Kind.PEOPLE: {
        "user_id": ("userid", "id"),
        "email": NAMES["email"],
        "name": NAMES["name"],
        "company": NAMES["company"],
        "plan": NAMES["plan"],
    },
    Kind.MOVES: {
        "post": _SAID["post"],
        "id": ("id",),
        "status": NAMES["status"],
        "name": ("changername", "name"),
        "email": ("changeremail",),
        "user_id": ("changerid",),
        "date": NAMES["date"],
    },
    Kind.TAGS: {"id": ("id", "tagid"), "name": ("name", "label", "tag")},
    Kind.TAGGINGS: {"post": _SAID["post"], "tag": ("tagid", "tag")},
    Kind.NONE: {},
}
#: The fields of which at least one must be found.
NEEDED: dict[Kind, tuple[str, ...]] = {
    Kind.FEEDBACK: ("text", "subject", "rating"),
    Kind.POSTS: ("title", "text"),
    Kind.COMMENTS: ("text",),
    Kind.NOTES: (),
    Kind.VOTES: ("post",),
    Kind.PEOPLE: ("user_id", "email"),
    Kind.MOVES: ("post",),
    Kind.TAGS: ("id",),
    Kind.TAGGINGS: ("post",),
    Kind.NONE: (),
}
#: Fields that hold times.
DATES = ("date", "response_date", "vote_date")


def plain(name: str) -> str:
    """A name as names are compared."""
    return re.sub(r"[\W_]+", "", name).casefold()


def map_columns(columns: Sequence[str], *, kind: Kind, wanted: Mapping[str, str]) -> dict[str, str]:
    """Field -> column: what the person `wanted`, then what the headers are called; each column means one thing.

    A field that is wanted from no column ("") stays without one. Raises `Invalid` for a field or a column that does not
    exist.
    """
    mapping = dict(_checked(columns, kind, wanted))
    free = {plain(column): column for column in reversed(columns) if column not in mapping.values()}
    for field, names in FIELDS[kind].items():
        found = next((free.pop(name) for name in names if name in free), None) if field not in mapping else None
        if found:
            mapping[field] = found
    mapping = {field: column for field, column in mapping.items() if column}
    if kind == Kind.FEEDBACK and "text" not in mapping and "subject" in mapping and "text" not in wanted:
        mapping["text"] = mapping.pop("subject")
    return mapping


def missing_field(mapping: Mapping[str, str], kind: Kind) -> str:
    """The field that such rows must have and do not; empty when nothing is missing."""
    needed = NEEDED[kind]
    return needed[0] if needed and not any(field in mapping for field in needed) else ""


def _checked(columns: Sequence[str], kind: Kind, wanted: Mapping[str, str]) -> Mapping[str, str]:
    found = {}
    for field, column in wanted.items():
        if field not in FIELDS[kind]:
            raise Invalid(f"There is no field “{field}”. Fields are: {', '.join(FIELDS[kind])}.")
        match = next((one for one in columns if one == column or plain(one) == plain(column)), None)
        if match is None and column:
            near = get_close_matches(column, columns, n=1, cutoff=0.0)
            raise Invalid(f"There is no column “{column}”. Did you mean “{near[0] if near else columns[0]}”?")
        found[field] = match or ""
    return found
