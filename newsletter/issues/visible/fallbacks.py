"""Ways to simplify the versions of an issue that too few people share. No database.

Hiding a story for safety, a story that they had already, and the day of the issue are never given up.
"""

from enum import IntEnum


class Fallback(IntEnum):
    """The parts of a version that are given up. Each value gives up what those before it do, and more.

    ``FIRST``: all stories, with the first of their topics and cases at the top. ``IN_ORDER``: all stories in the order of the
    issue. ``FOR_ALL``: the events of all places, the appeal for everybody and the blocks for everybody. ``ONE_STORY``: of the
    stories, only the first that they did not have. ``LANGUAGE``: in the publication's own language.
    """

    NONE = 0
    FIRST = 1
    IN_ORDER = 2
    FOR_ALL = 3
    ONE_STORY = 4
    LANGUAGE = 5
