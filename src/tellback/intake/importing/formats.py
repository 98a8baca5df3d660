"""The files that people arrive with: how each is recognised by its headers, and what its columns mean.

Only data. Names of columns are compared as `fields.plain` writes them. A format is an aid, never a demand: what it says
can be changed by mapping, and columns that it does not name are kept as metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tellback.intake.importing.fields import Kind


@dataclass(frozen=True, slots=True)
class Skip:
    """Rows that are left out on purpose: those whose column has one of these values (lower case), and why."""

    column: str
    values: frozenset[str]
    reason: str


@dataclass(frozen=True, slots=True)
class Layout:
    """One table of a format: the columns it `needs` to be recognised, and those that each field is taken from.

    `of` narrows the table's name. `html` says that texts are HTML. `id_parts` are joined to the id; `id_in_link` names
    the parameter of the link that is one. `scale_in` is the column that says on which scale a rating is.
    """

    kind: Kind
    needs: frozenset[str]
    columns: Mapping[str, tuple[str, ...]]
    of: str = ""
    html: bool = False
    skips: tuple[Skip, ...] = ()
    id_parts: tuple[str, ...] = ()
    id_in_link: str = ""
    scale_in: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """A tool's file. `note` is what a person should know before they import it."""

    key: str
    name: str
    layouts: tuple[Layout, ...]
    channel: str = ""
    note: str = ""


def _columns(text: str) -> Mapping[str, tuple[str, ...]]:
    """`field=name,name` pairs, divided by blanks."""
    pairs = (pair.partition("=") for pair in text.split())
    return {name: tuple(columns.split(",")) for name, _, columns in pairs}


def _layout(
    kind: Kind,
    needs: str,
    columns: str,
    *,
    of: str = "",
    html: bool = False,
    skips: tuple[Skip, ...] = (),
    id_parts: str = "",
    id_in_link: str = "",
    scale_in: str = "",
) -> Layout:
    parts = tuple(id_parts.split())
    return Layout(kind, frozenset(needs.split()), _columns(columns), of, html, skips, parts, id_in_link, scale_in)


_YES = frozenset({"true", "1", "yes", "t"})
_INTERNAL = "is an internal note, and everybody reads a post's comments"
_TEAM = "was said by the team or a robot, not by a customer"

GOOGLE_PLAY = Format(
    "google-play",
    "Google Play",
    (
        _layout(
            Kind.FEEDBACK,
            "packagename starrating reviewlink",
            """text=reviewtext subject=reviewtitle rating=starrating url=reviewlink language=reviewerlanguage
            app_version=appversionname device=device
            date=reviewsubmitdateandtime,reviewsubmitmillissinceepoch,reviewlastupdatedateandtime""",
            id_in_link="reviewId",
        ),
        _layout(
            Kind.FEEDBACK,
            "reviewid authorname comments0usercommentstarrating",
            """id=reviewid name=authorname text=comments0usercommenttext rating=comments0usercommentstarrating
            date=comments0usercommentlastmodifiedseconds,comments0usercommentlastmodified
            language=comments0usercommentreviewerlanguage app_version=comments0usercommentappversionname
            device=comments0usercommentdevice""",
        ),
    ),
    channel="review",
)
APP_STORE = Format(
    "app-store",
    "App Store Connect",
    (
        _layout(
            Kind.FEEDBACK,
            "id attributesrating attributesreviewernickname",
            """id=id text=attributesbody subject=attributestitle rating=attributesrating
            name=attributesreviewernickname date=attributescreateddate""",
        ),
        _layout(
            Kind.FEEDBACK,
            "rating body reviewernickname createddate",
            "id=id text=body subject=title rating=rating name=reviewernickname date=createddate",
        ),
    ),
    channel="review",
)
USERVOICE = Format(
    "uservoice",
    "UserVoice",
    (
        _layout(
            Kind.POSTS,
            "ideaid ideatitle",
            """id=ideaid title=ideatitle text=ideadescription email=ideacreatoremailaddress name=ideacreatorname
            board=forumname tags=labels status=publicstatusname moderation=moderationstate votes=voterscount
            date=createdtimestamp response=publicstatusupdatemessage response_date=publicstatusupdatedtimestamp
            voter_email=useremailaddress voter_name=username vote_date=linkedideacreationdate""",
            html=True,
        ),
        _layout(
            Kind.POSTS,
            "suggestionid suggestiontitle",
            """id=suggestionid title=suggestiontitle text=suggestionbody url=suggestionportalurl
            board=suggestionforumname status=suggestionstatusname tags=suggestionlabelsname
            merged_into=suggestionparentid date=suggestioncreatedtimestamp
            votes=suggestionvotescount,suggestionsupporterscount,suggestionvotecount
            email=suggestioncreatedbyemailaddress,suggestioncreatoremailaddress
            name=suggestioncreatedbyname,suggestioncreatorname""",
            html=True,
        ),
        _layout(Kind.NOTES, "suggestionid text useremail createdat", "post=suggestionid id=id text=text", of="note"),
        _layout(
            Kind.COMMENTS,
            "suggestionid text useremail createdat",
            "post=suggestionid id=id text=text email=useremail name=username date=createdat",
            html=True,
        ),
        _layout(
            Kind.PEOPLE,
            "externaluserexternalid",
            """user_id=externaluserexternalid email=externaluseremailaddress name=externalusername
            company=accountname,accountexternalid""",
        ),
    ),
)
CANNY = Format(
    "canny",
    "Canny",
    (
        _layout(
            Kind.POSTS,
            "title details boardname score",
            """id=id title=title text=details user_id=authorid email=authoremail name=authorname board=boardname
            status=status response_date=statuschangedat votes=score date=created tags=tags url=url""",
        ),
        _layout(
            Kind.POSTS,
            "title details status score",
            """id=id title=title text=details user_id=authorid,author email=authoremail name=authorname
            board=board,boardname status=status response_date=statuschangedat votes=score date=created tags=tags
            url=url""",
        ),
        _layout(
            Kind.VOTES,
            "voterid postid",
            "id=id post=postid user_id=voterid email=voteremail name=votername date=created",
        ),
        _layout(Kind.VOTES, "voter post votepriority", "id=id post=post user_id=voter date=created"),
        _layout(
            Kind.COMMENTS,
            "value postid authorid",
            """id=id post=postid text=value user_id=authorid email=authoremail name=authorname date=created
            staff=authorisadmin parent=parentid""",
            skips=(Skip("internal", _YES, _INTERNAL), Skip("private", _YES, _INTERNAL)),
        ),
        _layout(
            Kind.COMMENTS,
            "value post author likecount",
            "id=id post=post text=value user_id=author date=created parent=parentid",
            skips=(Skip("internal", _YES, _INTERNAL), Skip("private", _YES, _INTERNAL)),
        ),
        _layout(
            Kind.PEOPLE,
            "id email name isadmin",
            "user_id=id email=email name=name company=companies0name",
        ),
        _layout(
            Kind.MOVES,
            "changerid postid status",
            "id=id post=postid status=status user_id=changerid email=changeremail name=changername date=created",
        ),
        _layout(Kind.MOVES, "changer post status", "id=id post=post status=status user_id=changer date=created"),
        _layout(Kind.NONE, "markdowndetails plaintextdetails", ""),
        _layout(Kind.NONE, "domain monthlyspend membercount", ""),
        _layout(
            Kind.POSTS,
            "title description status totallikes",
            """id=id title=title text=description status=status votes=totallikes name=requestedby date=createdat""",
        ),
    ),
)
PRODUCTBOARD = Format(
    "productboard",
    "Productboard",
    (
        _layout(
            Kind.FEEDBACK,
            "title content displayurl useremail",
            """id=pbid,extid,sourcerecordid text=content subject=title url=displayurl email=useremail
            company=companydomain tags=tags channel=sourceorigin date=createdat""",
            html=True,
        ),
        _layout(
            Kind.FEEDBACK,
            "pbid title content",
            """id=pbid text=content subject=title url=displayurl email=useremail company=companydomain tags=tags
            date=createdat""",
            html=True,
        ),
        _layout(
            Kind.FEEDBACK,
            "title content displayurl customeremail",
            """id=id,sourcerecordid text=content subject=title url=displayurl email=customeremail tags=tags
            company=companydomain date=createdat""",
            html=True,
        ),
    ),
)
FEATUREBASE = Format(
    "featurebase",
    "Featurebase",
    (
        _layout(
            Kind.POSTS,
            "title content upvotes authorid",
            """id=id title=title text=content user_id=authorid email=authoremail name=author votes=upvotes
            board=postcategorycategory,postcategoryname,postcategory status=poststatusname,poststatus tags=tags
            date=date,createdat url=url""",
            html=True,
        ),
        _layout(
            Kind.POSTS,
            "title content statusid boardid",
            """id=id title=title text=content user_id=authorid email=authoremail name=authorname,author
            votes=upvotes board=boardid status=statusname,statusid tags=tags date=createdat,date url=url""",
            html=True,
        ),
    ),
)
INTERCOM = Format(
    "intercom",
    "Intercom",
    (
        _layout(
            Kind.FEEDBACK,
            "id sourcebody createdat state",
            """id=id text=sourcebody subject=title,sourcesubject email=sourceauthoremail name=sourceauthorname
            user_id=contactscontacts0externalid,contactscontacts0id,sourceauthorid status=state severity=priority
            tags=tagstags,tags url=sourceurl rating=conversationratingrating date=createdat""",
            html=True,
            skips=(Skip("sourceauthortype", frozenset({"admin", "bot", "team"}), _TEAM),),
        ),
        _layout(
            Kind.FEEDBACK,
            "messageid messagebody conversationid",
            """id=messageid text=messagebody email=messageauthoremail name=messageauthorname
            user_id=messageauthoruserid,messageauthorid company=messageauthorcompanies date=messagecreatedat
            tags=conversationtags status=conversationstate""",
            html=True,
            skips=(Skip("messageauthortype", frozenset({"admin", "bot", "team", "operator"}), _TEAM),),
        ),
    ),
    channel="support",
)
INTERCOM_OUTBOUND = Format(
    "intercom-outbound",
    "Intercom outbound messages",
    (_layout(Kind.PEOPLE, "rulesetid contentid receiptid", "user_id=userexternalid,userid email=email name=name"),),
    note="This export tells to whom messages were sent; it holds no words of customers. Only the people come in.",
)
ZENDESK = Format(
    "zendesk",
    "Zendesk",
    (
        _layout(
            Kind.FEEDBACK,
            "subject description requesterid priority",
            """id=id text=description subject=subject,rawsubject email=requesteremail name=requestername
            user_id=requesterid company=organizationname tags=tags status=status severity=priority category=type
            rating=satisfactionratingscore url=url date=createdat""",
        ),
        _layout(
            Kind.FEEDBACK,
            "ticketid requesterid score",
            """id=id text=comment rating=score user_id=requesterid date=createdat""",
            skips=(Skip("score", frozenset({"offered", "unoffered"}), "was asked for and never answered"),),
        ),
        _layout(
            Kind.FEEDBACK,
            "id requester subject tickettype",
            """id=id text=subject email=requesteremail name=requester user_id=requesterexternalid,requesterid
            company=organization tags=tags status=status severity=priority category=tickettype
            rating=satisfactionscore date=createdat""",
        ),
    ),
    channel="support",
    note="Zendesk's CSV has subjects only. For what people wrote, use the JSON export.",
)
FIDER = Format(
    "fider",
    "Fider",
    (
        _layout(
            Kind.POSTS,
            "number title votescount commentscount",
            """id=number title=title text=description date=createdat name=createdby votes=votescount status=status
            response=response response_date=respondedat merged_into=originalnumber tags=tags""",
        ),
        _layout(
            Kind.POSTS,
            "number title tenantid userid status",
            """id=id title=title text=description date=createdat user_id=userid status=status response=response
            response_date=responsedate merged_into=originalid""",
            of="post",
        ),
        _layout(Kind.PEOPLE, "id name email tenantid role", "user_id=id name=name email=email", of="user"),
        _layout(Kind.VOTES, "postid userid tenantid createdat", "post=postid user_id=userid date=createdat", of="vote"),
        _layout(
            Kind.COMMENTS,
            "content postid userid tenantid",
            "id=id post=postid text=content user_id=userid date=createdat",
            of="comment",
        ),
        _layout(Kind.TAGGINGS, "postid tagid", "post=postid tag=tagid", of="tag"),
        _layout(Kind.TAGS, "id name slug color", "id=id name=name", of="tag"),
    ),
)
CLEARFLASK = Format(
    "clearflask",
    "ClearFlask",
    (
        _layout(
            Kind.POSTS,
            "ideaid authoruserid title statusid",
            """id=ideaid user_id=authoruserid date=created title=title text=description response=response
            board=categoryid status=statusid tags=tagids votes=voterscount,votevalue""",
            html=True,
        ),
        _layout(Kind.PEOPLE, "userid ssoguid email", "user_id=userid name=name email=email"),
        _layout(
            Kind.COMMENTS,
            "ideaid commentid authoruserid content",
            """id=commentid post=ideaid parent=parentcommentid user_id=authoruserid date=created text=content""",
            html=True,
        ),
    ),
)
FORMBRICKS = Format(
    "formbricks",
    "Formbricks",
    (
        _layout(
            Kind.FEEDBACK,
            "submissionid collectedat fieldid fieldtype",
            """id=submissionid text=valuetext rating=valuenumber user_id=userid date=collectedat language=language""",
            id_parts="fieldid",
            scale_in="fieldtype",
        ),
    ),
)
NEUTRAL = Format(
    "boards",
    "Posts, comments, votes and notes",
    (
        _layout(
            Kind.POSTS,
            "title body authoremail board status votecount",
            """id=id title=title text=body email=authoremail name=authorname board=board status=status
            moderation=moderation tags=tags votes=votecount date=createdat response=response
            response_date=responseat""",
        ),
        _layout(Kind.VOTES, "postid voteremail", "post=postid email=voteremail date=createdat id=id"),
        _layout(Kind.NOTES, "postid body authoremail createdat", "post=postid text=body", of="note"),
        _layout(
            Kind.COMMENTS,
            "postid body authoremail createdat",
            """id=id post=postid text=body email=authoremail name=authorname staff=isstaff date=createdat
            parent=parentid""",
        ),
    ),
)
IDEAS = Format(
    "ideas",
    "Ideas with votes",
    tuple(
        Layout(Kind.POSTS, frozenset({"title", votes}), {})
        for votes in ("votes", "votecount", "votescount", "upvotes", "totallikes", "likes")
    ),
)

#: In the order in which they are tried; the one that needs most columns of a table wins.
FORMATS: tuple[Format, ...] = (
    GOOGLE_PLAY, APP_STORE, USERVOICE, CANNY, PRODUCTBOARD, FEATUREBASE, INTERCOM, INTERCOM_OUTBOUND, ZENDESK, FIDER,
    CLEARFLASK, FORMBRICKS, NEUTRAL, IDEAS,
)  # fmt: skip
