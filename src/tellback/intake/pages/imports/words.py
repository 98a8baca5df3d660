"""What the import page calls kinds of rows, fields, channels and states."""

from django.utils.translation import gettext_lazy as _

from tellback.intake.importing.fields import Kind
from tellback.intake.models import ImportState

KINDS = {
    Kind.FEEDBACK: _("Feedback"),
    Kind.POSTS: _("Posts with votes"),
    Kind.COMMENTS: _("Comments on posts"),
    Kind.VOTES: _("Votes for posts"),
    Kind.MOVES: _("Status history of posts"),
    Kind.PEOPLE: _("People"),
    Kind.TAGS: _("Tags"),
    Kind.TAGGINGS: _("Tags on posts"),
    Kind.NOTES: _("Internal notes, left out"),
    Kind.NONE: _("Nothing, leave it out"),
}
FIELDS = {
    "text": _("What was said"),
    "title": _("Title"),
    "subject": _("Subject"),
    "id": _("Id"),
    "email": _("Mail address"),
    "name": _("Name"),
    "user_id": _("Id of the person"),
    "company": _("Company"),
    "plan": _("Plan"),
    "date": _("Date"),
    "rating": _("Rating"),
    "url": _("Link"),
    "tags": _("Tags"),
    "tag": _("Tag"),
    "category": _("Type"),
    "severity": _("Severity"),
    "status": _("Status"),
    "channel": _("Channel"),
    "language": _("Language"),
    "app_version": _("App version"),
    "device": _("Device"),
    "board": _("Board"),
    "votes": _("Number of votes"),
    "response": _("Official answer"),
    "response_date": _("Date of the status"),
    "merged_into": _("Merged into"),
    "moderation": _("Moderation"),
    "voter_email": _("Voter’s mail address"),
    "voter_name": _("Voter’s name"),
    "vote_date": _("Date of the vote"),
    "post": _("Id of the post"),
    "staff": _("Said by the team"),
    "parent": _("Answers the comment"),
    "internal": _("Internal"),
}
CHANNELS = {
    "api": _("Not known"),
    "in-app": _("In the app"),
    "support": _("Support"),
    "review": _("Reviews"),
    "community": _("Community"),
}
STATES = {
    ImportState.DRAFT: _("Not started"),
    ImportState.CHECKING: _("Being read"),
    ImportState.RUNNING: _("Running"),
    ImportState.FINISHED: _("Finished"),
    ImportState.STOPPED: _("Stopped"),
    ImportState.FAILED: _("Failed"),
    ImportState.UNDOING: _("Being taken back"),
    ImportState.UNDONE: _("Taken back"),
}
TAKEN_BACK = {
    "feedback": _("pieces of feedback"),
    "restored": _("changed back"),
    "posts": _("posts"),
    "posts kept": _("posts kept, since others voted or commented"),
    "restored posts": _("posts changed back"),
    "votes": _("votes"),
    "comments": _("comments"),
    "moves": _("status changes"),
    "tags": _("tags on posts"),
}
