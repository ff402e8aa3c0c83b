"""Database expressions for a reader's language and for the numbers that decide which content they get.

The numbers by topics and by stories already seen have a bit for each story. The number by rules has a bit for each set of
rules of blocks, then one for each case. `interests` and `choose_visible` in `newsletter.issues.visible` read them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Exists,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Coalesce

from newsletter.issues.snapshot.exposure import list_sends_to_files
from newsletter.issues.snapshot.records.content import MAX_CASES, MAX_RULE_SETS, MAX_STORIES, IssueContent
from newsletter.issues.snapshot.show_rules import RuleSet, list_rule_sets
from newsletter.issues.variants.subject_assignment import read_language
from newsletter.issues.variants.unreached import NEVER_HANDED_OVER
from newsletter.issues.visible.choose_visible import NO_RULE_MET
from newsletter.issues.visible.interests import NOTHING_CHOSEN, list_cases, list_story_topics
from newsletter.models import Batch, Delivery, DeliveryException, Issue, ShownItem, Story
from subscribers.models import CaseFollow, Subscriber
from subscribers.segments.compile import compile_rule

NOTHING_SEEN = 0
_REMEMBERED_KINDS = (Issue.Kind.ISSUE, Issue.Kind.WELCOME)
Expression = Value | Coalesce | CombinedExpression | Case


def language_of_subscription(content: IssueContent) -> Expression:
    """Return the expression of the language in which a person gets the content, for a row of a subscription.

    It is "" for the publication's own: if the person reads it, or if the content has nothing in theirs.
    """
    languages = [version.publication.language for version in content.versions]
    if not languages:
        return Value("", output_field=CharField())
    return Case(
        *(When(read_language(code), then=Value(code)) for code in languages),
        default=Value(""),
        output_field=CharField(),
    )


def number_interests_of_subscription(content: IssueContent) -> Expression:
    """Return the expression of what `number_interests` computes, for a row of a subscription."""
    story_topics = list_story_topics(content)
    if not story_topics:
        return Value(NOTHING_CHOSEN, output_field=BigIntegerField())
    chosen = Subscriber.topics.through.objects.filter(subscriber=OuterRef("subscriber_id")).order_by()
    if content.publication.topic_ids:
        chosen = chosen.filter(topic__in=content.publication.topic_ids)
    of_one_topic: Counter[int] = Counter()
    bits_of_several: dict[int, Q] = {}
    for bit, topics in enumerate(story_topics):
        if len(topics) == 1:
            of_one_topic[min(topics)] += 1 << bit
        else:
            bits_of_several[bit] = Q(topic__in=topics)
    # Nobody has a topic twice, so that the bits of its stories are added once. This is several times faster than a maximum each.
    added = Case(
        *(When(topic=topic, then=Value(bits)) for topic, bits in of_one_topic.items()),
        default=Value(0),
        output_field=BigIntegerField(),
    )
    return _number_by(chosen, bits_of_several, default=NOTHING_CHOSEN, added=_Sum(added))


def number_seen_of_subscription(content: IssueContent, *, issue: Issue) -> Expression:
    """Return the expression of the stories that a person got in another issue, for a row of a subscription.

    A mail counts unless it certainly was not sent. A digest and a correction repeat stories, and are not counted. A welcome mail
    is: nobody gets its story again.
    """
    variants = _find_variants_with_stories(content, issue=issue)
    if not any(variants):
        return Value(NOTHING_SEEN, output_field=BigIntegerField())
    deliveries = find_got(Delivery.objects.filter(subscriber_id=OuterRef("subscriber_id"))).order_by()
    deliveries = deliveries.filter(batch__variant__in=set[int]().union(*variants))
    bits = {bit: Q(batch__variant__in=of_story) for bit, of_story in enumerate(variants)}
    return _number_by(deliveries, bits, default=NOTHING_SEEN)


def number_rules_of_subscription(content: IssueContent) -> Expression:
    """Return the expression of the sets of rules that a person meets and the cases that they follow, for a subscription.

    It has a bit for each of the `list_rule_sets`, then one for each of the `list_cases`. Raise BadRule if a rule names
    something that was deleted.
    """
    bits = [make_rules_filter(rules) for rules in list_rule_sets(content)[:MAX_RULE_SETS]]
    for case in list_cases(content)[:MAX_CASES]:
        bits.append(Q(subscriber_id__in=CaseFollow.objects.filter(case=case.id).values("subscriber_id")))
    if not bits:
        return Value(NO_RULE_MET, output_field=BigIntegerField())
    values = (
        Case(When(condition, then=Value(1 << bit)), default=Value(0), output_field=BigIntegerField())
        for bit, condition in enumerate(bits)
    )
    return reduce(add, values)


def read_constants(expressions: Collection[Expression]) -> list[Any] | None:
    """Return the values of these annotations if each is the same for everybody, else None."""
    values = [expression.value for expression in expressions if isinstance(expression, Value)]
    return values if len(values) == len(expressions) else None


def make_rules_filter(rules: RuleSet) -> Q:
    """Return the condition of people who meet all these rules, for a row of a subscription. Raises BadRule."""
    people = Subscriber.objects.filter(*(compile_rule(rule.rule) for rule in rules))
    return Q(subscriber_id__in=people.order_by().values("pk"))


def find_got(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Keep the deliveries that were sent, may have been sent, or are still to be sent."""
    not_sent = DeliveryException.objects.filter(
        delivery=OuterRef("pk"), state__in=[DeliveryException.State.REJECTED, DeliveryException.State.SKIPPED]
    )
    sent = deliveries.filter(~Exists(not_sent), ~NEVER_HANDED_OVER, ~Q(batch__state=Batch.State.REJECTED), proof=False)
    return sent.exclude(batch__send__in=list_sends_to_files())


def _find_variants_with_stories(content: IssueContent, *, issue: Issue) -> list[set[int]]:
    """Return, for each story of the content, the variants of other issues that showed it. A link alone does not count."""
    if issue.kind not in _REMEMBERED_KINDS:
        return []
    stories = [story.id for story in content.stories][:MAX_STORIES]
    duplicates = _find_duplicates(stories)
    items = (
        ShownItem.objects.filter(
            kind=ShownItem.Kind.STORY,
            only_linked=False,
            row_id__in=[*stories, *duplicates],
            variant__issue__kind__in=_REMEMBERED_KINDS,
        )
        .exclude(variant__issue=issue)
        .values_list("row_id", "variant")
    )
    by_story: defaultdict[int, set[int]] = defaultdict(set)
    for story, variant in items:
        by_story[duplicates.get(story) or story].add(variant)
    return [by_story[story] for story in stories]


def _find_duplicates(stories: Sequence[int]) -> dict[int, int]:
    """Return the other rows of these stories, by id: twins, originals, and translations of the same original."""
    related = Story.objects.filter(Q(same_as__in=stories) | Q(pk__in=stories, translation_of__isnull=False))
    rows = list(related.values_list("pk", "same_as", "translation_of"))
    twins = {pk: same_as for pk, same_as, _ in rows if same_as is not None and same_as in stories}
    originals = {original: pk for pk, _, original in rows if original and pk in stories}
    by_original = {**{pk: pk for pk in stories}, **originals}
    duplicates = Story.objects.filter(translation_of__in=by_original).exclude(pk__in=stories)
    pairs = duplicates.values_list("pk", "translation_of")
    translations = {pk: by_original[original] for pk, original in pairs if original}
    return {**originals, **translations, **twins}


def _number_by(rows: QuerySet[Any], bits: Mapping[int, Q], *, default: int, added: Func | None = None) -> Coalesce:
    """Return the sum of the bits whose condition one of a person's rows meets, and ``added``, or the default without rows."""
    values = [
        _Max(Case(When(condition, then=Value(1 << bit)), default=Value(0), output_field=BigIntegerField()))
        for bit, condition in bits.items()
    ]
    numbers = rows.annotate(number=reduce(add, [*values, *([added] if added else [])])).values("number")
    return Coalesce(Subquery(numbers), Value(default), output_field=BigIntegerField())


class _Max(Func):
    """MAX of all rows of a subquery. Django's own adds a GROUP BY, which costs a tenth of the time of a freeze."""

    function, output_field = "MAX", BigIntegerField()


class _Sum(Func):
    """SUM of all rows of a subquery, as a number of 64 bits."""

    function, output_field = "SUM", BigIntegerField()
    template = "CAST(%(function)s(%(expressions)s) AS BIGINT)"
