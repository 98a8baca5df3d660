"""Texts to measure with, made of the sample: as many as wanted, all different, about a few thousand needs."""

import random
import re
from collections.abc import Iterator

from tellback.cli.demo.dataset import read_items

#: What a sentence of ours is about, what befalls it, and when: each combination is a need that somebody may have.
THINGS = tuple(
    "job sheet,calendar,invoice,photo upload,van stock,route planner,customer portal,time sheet,signature page,price list,"
    "parts catalogue,push notification,monthly report,offline mode,search box,login page,password reset,Excel export,"
    "barcode scanner,checklist,warranty record,quote editor,team chat,map view,payment link,tax setting,customer import,"
    "holiday planner,fuel log,voice memo,maintenance contract,dark theme,tablet layout,document archive,webhook,user list,"
    "role editor,reminder mail,bank transfer,service interval,homework list,grade book,bus timetable,lunch menu,library card,"
    "exam calendar,parent letter,attendance form,lesson video,quiz editor,recipe book,shopping basket,gift card,delivery slot,"
    "loyalty points,product filter,size chart,return label,order history,wish list,heart rate chart,sleep diary,step counter,"
    "medicine plan,doctor appointment,lab result,insurance form,blood pressure log,hotel booking,boarding pass,seat map,"
    "luggage tag,train ticket,travel diary,currency converter,city guide,savings goal,credit card,cash machine,standing order,"
    "tax return,share price,mortgage calculator,playlist,podcast feed,radio station,equaliser,lyrics page,sound effect,"
    "high score,game level,avatar,multiplayer lobby,weather map,storm warning,tide table,plant guide,watering plan,"
    "pet passport,feeding plan,dog walk,spreadsheet,slide deck,mail merge,font menu,page number,print preview,code editor,"
    "test runner,merge request,build log,server status,backup job,firewall rule,screen reader,keyboard shortcut,subtitle,"
    "translation,emoji picker,sticker,photo album,video call,waiting room,screen sharing".split(",")
)
TROUBLES = (
    "does not open", "loses what I typed", "is far too slow", "shows the wrong total", "should be sorted by date",
    "needs a filter for each team", "crashes at once", "cannot be printed", "is missing on the phone", "has to work in German",
    "ignores the time zone", "should remember my last choice", "asks for the password again and again",
    "sends everything twice", "needs a way to undo", "is hard to read in the sun", "should be shared with subcontractors",
    "stays empty", "costs too much for what it does", "cannot be edited after closing",
)  # fmt: skip
MOMENTS = (
    "since the last update", "on my tablet", "when I am on the road", "for our night shift", "after lunch", "with two users",
    "in the cellar", "at the end of the month", "on a slow connection", "for new customers", "every Monday", "in the browser",
    "when a colleague is logged in", "with long names", "for the whole team", "before I leave the site",
)  # fmt: skip
#: How often a text is a sentence of the sample (with a moment of its own), not a combination.
FROM_SAMPLE = 0.25
#: Exponent of how unevenly combinations are asked for: a few by many, most by few.
SKEW = 1.5


def varied_texts(*, seed: int = 0) -> Iterator[str]:
    """Endless texts of one sentence, ten to fifteen tokens each; the same for the same `seed`."""
    draw = random.Random(seed)  # noqa: S311 - texts to measure with, not a secret
    sentences = sorted({part for item in read_items() for part in re.split(r"(?<=[.!?])\s+", item.text) if " " in part})
    needs = [(thing, trouble) for thing in THINGS for trouble in TROUBLES]
    draw.shuffle(needs)
    while True:
        moment, number = draw.choice(MOMENTS), draw.randrange(2, 90)
        if draw.random() < FROM_SAMPLE:
            said = sentences[int(len(sentences) * draw.random() ** SKEW)].rstrip(".!?")
            yield f"{said} {moment}, {number} times."
        else:
            thing, trouble = needs[int(len(needs) * draw.random() ** SKEW)]
            yield f"The {thing} {trouble} {moment}, case {number}."
