# Made by makemigrations; see docs/decisions/0020-one-initial-migration.md.

import re
import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.comparison
import django.db.models.functions.text
import wagtail.models.preview
from django.conf import settings
from django.db import migrations, models

import newsletter.common.message_fields
import subscribers.models.lists
import subscribers.models.people


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Segment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "rule",
                    models.JSONField(
                        default=dict,
                        help_text='Such as {"all": [{"region": "GB-ENG"}, {"topic": "events"}]}',
                        verbose_name="rule",
                    ),
                ),
                ("archived", models.BooleanField(default=False, editable=False, verbose_name="archived")),
            ],
            options={
                "verbose_name": "segment",
                "verbose_name_plural": "segments",
                "ordering": ["name"],
            },
            bases=(wagtail.models.preview.PreviewableMixin, models.Model),
        ),
        migrations.CreateModel(
            name="SpentProof",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Topic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                (
                    "names",
                    models.JSONField(
                        blank=True, default=dict, help_text='{"es": "Tierra"}', verbose_name="names in other languages"
                    ),
                ),
            ],
            options={
                "verbose_name": "topic",
                "verbose_name_plural": "topics",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
            ],
            options={
                "verbose_name": "case",
                "verbose_name_plural": "cases",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"),
                        name="case_name_unique_in_any_letters",
                        violation_error_message="There is a case of this name already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ConfirmationQuota",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mailbox", models.BinaryField(max_length=32, unique=True)),
                ("request_count", models.PositiveSmallIntegerField(default=0)),
                ("last_requested_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("request_count__lte", 3)), name="confirmation_quota_at_most_three"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CountedUnsubscribe",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mailing", models.BigIntegerField()),
                ("subscriber_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("mailing", "subscriber_id"), name="unsubscribe_counted_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="MailingList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=80, unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("description", models.TextField(blank=True, default="", verbose_name="description")),
                (
                    "double_opt_in",
                    models.BooleanField(
                        default=True,
                        help_text="Recommended: proves that the address is theirs.",
                        verbose_name="ask people to confirm by mail",
                    ),
                ),
                (
                    "public",
                    models.BooleanField(
                        default=True,
                        help_text="Subscribers cannot see private lists or sign up for them.",
                        verbose_name="open to the public",
                    ),
                ),
                ("ask_name", models.BooleanField(db_default=True, default=True, verbose_name="ask for a first name")),
                (
                    "ask_place",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="For events near people. Nothing more precise than a town is kept.",
                        verbose_name="ask for a town",
                    ),
                ),
                (
                    "ask_topics",
                    models.BooleanField(db_default=True, default=True, verbose_name="ask what interests people"),
                ),
                (
                    "ask_language",
                    models.BooleanField(db_default=False, default=False, verbose_name="ask for a language"),
                ),
                (
                    "joined_url",
                    models.URLField(
                        blank=True,
                        default="",
                        help_text="An address on your website. People who send the sign-up form come there. If this list asks people to confirm, the page should say that a mail with a button is on its way.",
                        max_length=2000,
                        verbose_name="your page after the form",
                    ),
                ),
                (
                    "confirmed_url",
                    models.URLField(
                        blank=True,
                        default="",
                        help_text="An address on your website. People come there when they have confirmed, such as to thank them.",
                        max_length=2000,
                        verbose_name="your page after confirming",
                    ),
                ),
                ("archived", models.BooleanField(default=False, editable=False, verbose_name="archived")),
                (
                    "public_id",
                    models.CharField(
                        default=subscribers.models.lists.make_public_id,
                        editable=False,
                        max_length=16,
                        unique=True,
                        validators=[django.core.validators.RegexValidator(re.compile("\\A[0-9a-f]{16}\\Z"))],
                    ),
                ),
            ],
            options={
                "verbose_name": "mailing list",
                "verbose_name_plural": "mailing lists",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("archived", False), ("public", False), _connector="OR"),
                        name="list_archived_is_private",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "waiting for you"),
                            ("checking", "being checked"),
                            ("checked", "checked"),
                            ("running", "running"),
                            ("finished", "finished"),
                            ("undoing", "being undone"),
                            ("undone", "undone"),
                            ("failed", "stopped"),
                        ],
                        default="draft",
                        max_length=8,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("join", "People who join the list"),
                            ("left_list", "People who unsubscribed from this list"),
                            ("left_all", "People who want no mail from us at all"),
                            ("bounced", "Addresses that do not exist any more"),
                            ("complained", "People who reported us as spam"),
                        ],
                        default="join",
                        max_length=10,
                    ),
                ),
                ("file_name", models.CharField(blank=True, default="", max_length=200)),
                (
                    "file_key",
                    models.CharField(
                        blank=True, default="", help_text="SHA-256 of the file, hexadecimal", max_length=64
                    ),
                ),
                ("file_bytes", models.BigIntegerField(default=0)),
                (
                    "typed",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="People were typed, and we added the first line, which names the columns.",
                    ),
                ),
                (
                    "stored",
                    models.BooleanField(
                        default=False, help_text="The file is kept in pieces until the import has ended."
                    ),
                ),
                ("encoding", models.CharField(blank=True, default="", max_length=16)),
                ("delimiter", models.CharField(blank=True, default=",", max_length=1)),
                (
                    "layout",
                    models.CharField(
                        blank=True, default="", help_text="The program that exported the file, if known", max_length=24
                    ),
                ),
                ("header", models.JSONField(blank=True, default=list)),
                ("header_key", models.CharField(blank=True, db_index=True, default="", max_length=64)),
                (
                    "mapping",
                    models.JSONField(
                        blank=True, default=list, help_text="The meaning of each column, in the order of the header"
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("consent", "consent"),
                            ("consent_double_opt_in", "consent, confirmed by mail"),
                            ("soft_opt_in", "charitable soft opt-in"),
                            ("legitimate_interest", "legitimate interest"),
                            ("contract", "contract"),
                            ("casl_implied", "implied consent, for a time (Canada)"),
                        ],
                        default="consent",
                        max_length=24,
                    ),
                ),
                ("evidence", models.TextField(blank=True, default="")),
                ("collected_on", models.DateField(blank=True, help_text="For lines without their own date", null=True)),
                (
                    "expires_on",
                    models.DateField(
                        blank=True, help_text="The last day of implied consent, for lines without one", null=True
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The code of the country for lines without one",
                        max_length=2,
                    ),
                ),
                ("confirm", models.BooleanField(default=False)),
                ("by", models.CharField(max_length=254)),
                (
                    "by_key",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="The id of the API key that uploaded the file, if no person did",
                        null=True,
                    ),
                ),
                (
                    "origin",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="The origin of its changes in webhooks, if it is not “import”",
                        max_length=160,
                    ),
                ),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                ("lines", models.PositiveIntegerField(default=0, help_text="The approximate number of lines")),
                ("rows_done", models.PositiveIntegerField(default=0)),
                ("claimed_by", models.CharField(blank=True, default="", max_length=32)),
                ("claimed_until", models.DateTimeField(blank=True, null=True)),
                (
                    "attempts",
                    models.PositiveSmallIntegerField(
                        db_default=0, default=0, help_text="How often the work was begun since its last progress"
                    ),
                ),
                (
                    "checked",
                    newsletter.common.message_fields.MessagesJSONField(
                        blank=True, default=dict, help_text="The result of the dry run"
                    ),
                ),
                ("counts", newsletter.common.message_fields.MessagesJSONField(blank=True, default=dict)),
                (
                    "row_notes_dropped",
                    models.PositiveIntegerField(
                        db_default=0,
                        default=0,
                        help_text="How often row notes were dropped while the import was running",
                    ),
                ),
                ("problem", newsletter.common.message_fields.MessageField(blank=True, default="")),
                (
                    "mailing_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="import_batches",
                        to="subscribers.mailinglist",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "basis__in",
                                [
                                    "consent",
                                    "consent_double_opt_in",
                                    "soft_opt_in",
                                    "legitimate_interest",
                                    "contract",
                                    "casl_implied",
                                ],
                            )
                        ),
                        name="import_batch_basis",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["draft", "checking", "checked", "running", "finished", "undoing", "undone", "failed"],
                            )
                        ),
                        name="import_batch_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["join", "left_list", "left_all", "bounced", "complained"])),
                        name="import_batch_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "checking", "checked", "failed"]),
                            models.Q(("kind", "join"), _negated=True),
                            models.Q(("evidence", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="import_batch_evidence",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExportRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "asked_by_key",
                    models.PositiveBigIntegerField(
                        help_text="The id of the API key that asked, if no person did", null=True
                    ),
                ),
                ("key_label", models.CharField(blank=True, db_default="", default="", max_length=160)),
                (
                    "key_maker",
                    models.CharField(
                        blank=True,
                        db_default="",
                        default="",
                        help_text="Who made the key. They may not allow what it asks for",
                        max_length=254,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=200)),
                (
                    "person_ids",
                    models.JSONField(help_text="The ids of the people that staff chose; none for everybody", null=True),
                ),
                ("has_bom", models.BooleanField(default=True, help_text="The file begins with a byte order mark")),
                (
                    "people_when_asked",
                    models.PositiveIntegerField(help_text="The number of people when the file was requested"),
                ),
                (
                    "max_people",
                    models.PositiveIntegerField(help_text="The largest number of people that the file may hold"),
                ),
                ("without_approval", models.BooleanField(default=False)),
                ("allowed_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(help_text="The file may be downloaded until then", null=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "people_in_file",
                    models.PositiveIntegerField(help_text="The number of people in the downloaded file", null=True),
                ),
                (
                    "allowed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "mailing_list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="subscribers.mailinglist",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["asked_at"], name="export_asked")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="export_has_reason"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("without_approval", False), ("people_when_asked__lte", 500), _connector="OR"
                        ),
                        name="export_alone_is_small",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("allowed_at__isnull", True), ("allowed_by__isnull", True), ("expires_at__isnull", True)
                            ),
                            models.Q(
                                ("allowed_at__isnull", False),
                                ("allowed_by__isnull", False),
                                ("expires_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="export_allowed_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("asked_by__isnull", False),
                                ("asked_by_key__isnull", True),
                                ("key_label", ""),
                                ("key_maker", ""),
                            ),
                            models.Q(
                                ("asked_by__isnull", True),
                                ("asked_by_key__isnull", False),
                                ("without_approval", False),
                                models.Q(("key_label", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="export_asked_by_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("allowed_by__isnull", True),
                            models.Q(("allowed_by", models.F("asked_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="export_second_is_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("max_people", models.F("people_when_asked")), ("without_approval", True)),
                            models.Q(
                                ("max_people__gte", models.F("people_when_asked")),
                                (
                                    "max_people__lte",
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("people_when_asked"),
                                        "+",
                                        django.db.models.expressions.CombinedExpression(
                                            models.F("people_when_asked"), "/", models.Value(20)
                                        ),
                                    ),
                                ),
                                ("without_approval", False),
                            ),
                            _connector="OR",
                        ),
                        name="export_grows_by_little",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("people_in_file__isnull", True), ("used_at__isnull", True)),
                            models.Q(
                                ("people_in_file__isnull", False),
                                ("people_in_file__lte", models.F("max_people")),
                                ("used_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="export_taken_as_allowed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("used_at__isnull", True),
                            ("without_approval", True),
                            models.Q(("expires_at__isnull", False), ("used_at__lte", models.F("expires_at"))),
                            _connector="OR",
                        ),
                        name="export_used_while_allowed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OutboundEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("person.signed_up", "Somebody signed up and has not confirmed yet"),
                            ("person.confirmed", "Somebody confirmed a sign-up, or joined without having to"),
                            ("person.changed", "Preferences or details of a person changed"),
                            ("person.moved", "A person changed their email address"),
                            ("person.merged", "Two records of one person were merged"),
                            ("person.unsubscribed", "A person unsubscribed from one list"),
                            ("person.unsubscribed_from_all", "A person unsubscribed from all mail"),
                            ("person.subscription_ended", "Staff or the system ended a subscription"),
                            ("person.complained", "A person reported a mail as spam"),
                            ("person.bounced", "An address bounced permanently"),
                            ("person.suppressed", "An address was suppressed for another reason"),
                            ("person.suppression_removed", "A suppression was removed"),
                            ("person.erased", "A person was erased"),
                            ("story.new", "A story was found or written"),
                            ("story.corrected", "A story changed"),
                            ("story.withdrawn", "A story was withdrawn"),
                            ("event.new", "An event was found or written"),
                            ("event.corrected", "An event changed"),
                            ("event.withdrawn", "An event was withdrawn or cancelled"),
                            ("issue.assembled", "An issue was assembled"),
                            ("issue.waiting", "An issue waits for approval"),
                            ("issue.approved", "An issue was approved"),
                            ("issue.approval_withdrawn", "The approval of an issue was withdrawn"),
                            ("issue.held", "An issue was held"),
                            ("issue.cancelled", "An issue or its send was cancelled"),
                            ("issue.sent", "An issue was sent"),
                            ("send.finished", "A send finished, with its receipt"),
                            ("import.finished", "An import of people finished"),
                            ("import.undone", "An import of people was undone"),
                            ("gift.matched", "A gift was matched with an issue"),
                            ("test", "A test that staff sent"),
                        ],
                        max_length=32,
                    ),
                ),
                ("at", models.DateTimeField(db_index=True)),
                ("origin", models.CharField(max_length=140)),
                ("person", models.BigIntegerField(null=True)),
                ("data", models.JSONField(default=dict)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "person.signed_up",
                                    "person.confirmed",
                                    "person.changed",
                                    "person.moved",
                                    "person.merged",
                                    "person.unsubscribed",
                                    "person.unsubscribed_from_all",
                                    "person.subscription_ended",
                                    "person.complained",
                                    "person.bounced",
                                    "person.suppressed",
                                    "person.suppression_removed",
                                    "person.erased",
                                    "story.new",
                                    "story.corrected",
                                    "story.withdrawn",
                                    "event.new",
                                    "event.corrected",
                                    "event.withdrawn",
                                    "issue.assembled",
                                    "issue.waiting",
                                    "issue.approved",
                                    "issue.approval_withdrawn",
                                    "issue.held",
                                    "issue.cancelled",
                                    "issue.sent",
                                    "send.finished",
                                    "import.finished",
                                    "import.undone",
                                    "gift.matched",
                                    "test",
                                ],
                            )
                        ),
                        name="outbound_event_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RateCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.BinaryField(max_length=32)),
                ("starts_at", models.DateTimeField(db_index=True)),
                ("count", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("subject", "starts_at"), name="rate_counter_one_a_window")
                ],
            },
        ),
        migrations.CreateModel(
            name="Subscriber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("email", models.CharField(max_length=254, unique=True)),
                ("address_hash", models.BinaryField(max_length=32, unique=True)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                (
                    "folded_name",
                    subscribers.models.people.FoldedNameField(
                        blank=True, db_default="", default="", editable=False, max_length=400
                    ),
                ),
                (
                    "radius_km",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="How far they would travel to an event. Leave empty to use the publication’s distance.",
                        null=True,
                    ),
                ),
                ("language", models.CharField(blank=True, default="", max_length=16)),
                (
                    "giving",
                    models.CharField(
                        choices=[("none", "no gift known"), ("donor", "has given"), ("monthly", "gives monthly")],
                        default="none",
                        max_length=8,
                    ),
                ),
                ("timezone", models.CharField(blank=True, default="", max_length=64)),
                ("source", models.CharField(blank=True, default="", max_length=120)),
                ("created_at", models.DateTimeField()),
                (
                    "import_batch",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="people",
                        to="subscribers.importbatch",
                    ),
                ),
            ],
            options={
                "permissions": [("reveal", "Can see whole addresses")],
                "indexes": [models.Index(fields=["created_at"], name="subscriber_created")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("giving__in", ["none", "donor", "monthly"])), name="subscriber_giving"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="StayQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("repeat_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("repeats", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("resting_since", models.DateTimeField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mailing_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="subscribers.mailinglist"
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stay_questions",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("answered_at__isnull", True), ("resting_since__isnull", False)),
                        fields=["subscriber"],
                        name="stay_question_resting",
                    ),
                    models.Index(
                        condition=models.Q(("repeat_at__isnull", False)),
                        fields=["repeat_at"],
                        name="stay_question_repeat",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("answered_at__isnull", True)),
                        fields=("subscriber",),
                        name="one_open_stay_question",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("resting_since__isnull", True),
                            models.Q(("resting_since__gt", models.F("sent_at")), ("sent_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="nobody_rests_unasked",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeat_at__isnull", True), ("sent_at__isnull", False), _connector="OR"),
                        name="stay_question_repeat_of_sent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeats__lte", 4)), name="stay_question_repeats_limited"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Reply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("issue", models.BigIntegerField(null=True)),
                ("replied_on", models.DateField()),
                (
                    "origin",
                    models.CharField(
                        choices=[
                            ("staff", "recorded by staff"),
                            ("api", "reported by another system"),
                            ("mail", "came in by mail"),
                        ],
                        max_length=8,
                    ),
                ),
                ("by", models.CharField(blank=True, max_length=254)),
                ("recorded_at", models.DateTimeField()),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="replies",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["subscriber", "replied_on"], name="reply_of_person"),
                    models.Index(condition=models.Q(("issue__isnull", False)), fields=["issue"], name="reply_to_issue"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("issue__isnull", False)),
                        fields=("subscriber", "issue"),
                        name="reply_once_to_an_issue",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("issue__isnull", True)),
                        fields=("subscriber", "replied_on"),
                        name="reply_once_on_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("origin__in", ["staff", "api"]), models.Q(("by", ""), _negated=True)),
                            models.Q(("by", ""), ("origin", "mail")),
                            _connector="OR",
                        ),
                        name="reply_has_an_origin",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MailedLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("preferences", "a fresh link to the preferences"),
                            ("download", "download of one’s data"),
                            ("erase", "erasure"),
                            ("move", "a change of address"),
                            ("arrive", "confirmation of a new address"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "public_id",
                    models.CharField(
                        default=subscribers.models.lists.make_public_id, editable=False, max_length=16, unique=True
                    ),
                ),
                ("new_email", models.CharField(blank=True, default="", max_length=254)),
                ("asked_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("repeat_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("repeats", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("used_at", models.DateTimeField(blank=True, null=True)),
                (
                    "mailing_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="subscribers.mailinglist"
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mailed_links",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("repeat_at__isnull", False)),
                        fields=["repeat_at"],
                        name="mailed_link_repeat",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["preferences", "download", "erase", "move", "arrive"])),
                        name="mailed_link_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "arrive"), models.Q(("new_email", ""), _negated=True)),
                            models.Q(models.Q(("kind", "arrive"), _negated=True), ("new_email", "")),
                            _connector="OR",
                        ),
                        name="mailed_link_new_address",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("sent_at__isnull", True)),
                        fields=("subscriber", "kind"),
                        name="mailed_link_one_due",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeat_at__isnull", True), ("sent_at__isnull", False), _connector="OR"),
                        name="mailed_link_repeat_of_sent",
                    ),
                    models.CheckConstraint(condition=models.Q(("repeats__lte", 4)), name="mailed_link_repeats_limited"),
                ],
            },
        ),
        migrations.CreateModel(
            name="FormerIdentity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uuid", models.UUIDField(editable=False, unique=True)),
                ("at", models.DateTimeField()),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="former_identities",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "former identities",
            },
        ),
        migrations.CreateModel(
            name="ConsentEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address_hash", models.BinaryField(db_index=True, max_length=32)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("requested", "asked to join"),
                            ("confirmed", "confirmed"),
                            ("imported", "imported"),
                            ("left", "unsubscribed from the list"),
                            ("left_all", "unsubscribed from all mail"),
                            ("preferences", "changed preferences"),
                            ("suppressed", "suppressed"),
                            ("lifted", "suppression removed"),
                            ("ended", "ended"),
                            ("erased", "erased"),
                            ("moved", "changed address"),
                            ("merged", "merged with the same person"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("wording", models.TextField(blank=True, default="", help_text="The text that the person saw")),
                ("source", newsletter.common.message_fields.MessageField(blank=True, default="")),
                (
                    "by",
                    newsletter.common.message_fields.MessageField(
                        blank=True, default="", help_text="A member of staff or “the system”; empty for the person"
                    ),
                ),
                ("data", models.JSONField(blank=True, default=dict)),
                (
                    "mailing_list",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscribers.mailinglist",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="consent_events",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "requested",
                                    "confirmed",
                                    "imported",
                                    "left",
                                    "left_all",
                                    "preferences",
                                    "suppressed",
                                    "lifted",
                                    "ended",
                                    "erased",
                                    "moved",
                                    "merged",
                                ],
                            )
                        ),
                        name="consent_event_kind",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Confirmation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("requested_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("repeat_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("repeats", models.PositiveSmallIntegerField(default=0, editable=False)),
                (
                    "mailing_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="subscribers.mailinglist"
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="confirmations",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("repeat_at__isnull", False)),
                        fields=["repeat_at"],
                        name="confirmation_repeat",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("sent_at__isnull", True)),
                        fields=("subscriber", "mailing_list"),
                        name="confirmation_one_due",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeat_at__isnull", True), ("sent_at__isnull", False), _connector="OR"),
                        name="confirmation_repeat_of_sent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeats__lte", 4)), name="confirmation_repeats_limited"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseFollow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("followed_at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="follows", to="subscribers.case"
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="case_follows",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("subscriber", "case"), name="case_followed_once")],
            },
        ),
        migrations.CreateModel(
            name="SubscriberAttribute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=60)),
                ("value", models.CharField(max_length=300)),
                ("folded", models.CharField(max_length=300)),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attributes",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["key", "folded", "subscriber"], name="attribute_key_value")],
                "constraints": [
                    models.UniqueConstraint(fields=("subscriber", "key"), name="attribute_one_value"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("key", ""), _negated=True), models.Q(("value", ""), _negated=True)
                        ),
                        name="attribute_not_empty",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubscriberLocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200, unique=True)),
                ("country", models.CharField(blank=True, default="", help_text="ISO 3166-1, such as GB", max_length=2)),
                (
                    "region",
                    models.CharField(blank=True, default="", help_text="ISO 3166-2, such as US-TX", max_length=8),
                ),
                ("town", models.CharField(blank=True, default="", max_length=120)),
                ("latitude", models.FloatField(blank=True, null=True)),
                ("longitude", models.FloatField(blank=True, null=True)),
                ("zone", models.CharField(blank=True, default="", max_length=64)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["country", "region"], name="place_country_region"),
                    models.Index(fields=["region"], name="place_region"),
                ],
            },
        ),
        migrations.AddField(
            model_name="subscriber",
            name="place",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="subscribers",
                to="subscribers.subscriberlocation",
            ),
        ),
        migrations.AddIndex(
            model_name="subscriber",
            index=models.Index(fields=["place", "giving", "radius_km", "timezone"], name="subscriber_groups"),
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("consent", "consent"),
                            ("consent_double_opt_in", "consent, confirmed by mail"),
                            ("soft_opt_in", "charitable soft opt-in"),
                            ("legitimate_interest", "legitimate interest"),
                            ("contract", "contract"),
                            ("casl_implied", "implied consent, for a time (Canada)"),
                        ],
                        max_length=24,
                    ),
                ),
                ("evidence", models.TextField(blank=True, default="")),
                ("requested_at", models.DateTimeField()),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "expires_at",
                    models.DateTimeField(
                        blank=True, help_text="The end of implied consent. Other consent does not end.", null=True
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unsubscribe", "unsubscribed"),
                            ("complaint", "reported as spam"),
                            ("staff", "ended by staff"),
                            ("import_undone", "import undone"),
                            ("expired", "never confirmed"),
                            ("merged", "merged with another subscription of the same person"),
                            ("lapsed", "implied consent ended"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "frequency",
                    models.CharField(
                        choices=[
                            ("every", "every issue"),
                            ("monthly", "once a month"),
                            ("events", "only when there is an event near me"),
                        ],
                        db_default="every",
                        default="every",
                        max_length=8,
                    ),
                ),
                (
                    "paused_until",
                    models.DateTimeField(
                        blank=True, help_text="No mail is sent before then. Mail continues after it.", null=True
                    ),
                ),
                (
                    "import_batch",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="subscriptions",
                        to="subscribers.importbatch",
                    ),
                ),
                (
                    "mailing_list",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="subscribers.mailinglist",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="subscriptions",
                        to="subscribers.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["mailing_list", "subscriber"],
                        name="subscription_open",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True), ("confirmed_at__isnull", False)),
                        fields=["mailing_list", "confirmed_at"],
                        name="subscription_confirmed",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("ended_at__isnull", True), ("confirmed_at__isnull", True), ("import_batch__isnull", True)
                        ),
                        fields=["mailing_list", "requested_at"],
                        name="subscription_joined",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True), ("expires_at__isnull", False)),
                        fields=["expires_at"],
                        name="subscription_expires",
                    ),
                    models.Index(fields=["mailing_list", "ended_at"], name="subscription_by_list"),
                    models.Index(
                        models.F("mailing_list"),
                        django.db.models.functions.comparison.Coalesce("confirmed_at", "requested_at"),
                        name="subscription_joined_at",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("ended_at__isnull", True),
                            ("basis", "consent_double_opt_in"),
                            ("confirmed_at__isnull", True),
                        ),
                        fields=["mailing_list"],
                        name="subscription_unconfirmed",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True), ("paused_until__isnull", False)),
                        fields=["paused_until"],
                        name="subscription_paused",
                    ),
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True), models.Q(("frequency", "every"), _negated=True)),
                        fields=["mailing_list", "frequency"],
                        name="subscription_rarer",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("subscriber", "mailing_list"),
                        name="subscription_one_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "basis__in",
                                [
                                    "consent",
                                    "consent_double_opt_in",
                                    "soft_opt_in",
                                    "legitimate_interest",
                                    "contract",
                                    "casl_implied",
                                ],
                            )
                        ),
                        name="subscription_basis",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("frequency__in", ["every", "monthly", "events"])),
                        name="subscription_frequency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("basis", "consent_double_opt_in"),
                            models.Q(("evidence", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="subscription_has_evidence",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("basis", "casl_implied"), ("expires_at__isnull", False)),
                            models.Q(models.Q(("basis", "casl_implied"), _negated=True), ("expires_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="subscription_implied_expires",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end_reason", ""), ("ended_at__isnull", True)),
                            models.Q(
                                (
                                    "end_reason__in",
                                    [
                                        "unsubscribe",
                                        "complaint",
                                        "staff",
                                        "import_undone",
                                        "expired",
                                        "merged",
                                        "lapsed",
                                    ],
                                ),
                                ("ended_at__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="subscription_end_has_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address_hash", models.BinaryField(max_length=32)),
                ("scope", models.CharField(choices=[("all", "all mail"), ("list", "one list")], max_length=4)),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("unsubscribe", "unsubscribed"),
                            ("complaint", "reported as spam"),
                            ("hard", "the address does not exist"),
                            ("soft_limit", "mail kept failing"),
                            ("erasure", "asked to be erased"),
                            ("staff", "blocked by staff"),
                            ("legal", "legal reasons"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("note", newsletter.common.message_fields.MessageField(blank=True, default="")),
                ("removed_at", models.DateTimeField(blank=True, null=True)),
                ("removed_by", models.CharField(blank=True, default="", max_length=254)),
                ("removal_reason", newsletter.common.message_fields.MessageField(blank=True, default="")),
                (
                    "import_batch",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="subscribers.importbatch",
                    ),
                ),
                (
                    "mailing_list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscribers.mailinglist",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["address_hash"], name="suppression_address")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                ["unsubscribe", "complaint", "hard", "soft_limit", "erasure", "staff", "legal"],
                            )
                        ),
                        name="suppression_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("mailing_list__isnull", True), ("scope", "all")),
                            models.Q(("mailing_list__isnull", False), ("scope", "list")),
                            _connector="OR",
                        ),
                        name="suppression_scope",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at__isnull", True), ("scope", "all")),
                        fields=("address_hash", "reason"),
                        name="suppression_one_live_all",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at__isnull", True), ("scope", "list")),
                        fields=("address_hash", "mailing_list", "reason"),
                        name="suppression_one_live_list",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="subscriber",
            name="topics",
            field=models.ManyToManyField(blank=True, related_name="subscribers", to="subscribers.topic"),
        ),
        migrations.CreateModel(
            name="HeldSignup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.CharField(max_length=254)),
                ("address_hash", models.BinaryField(max_length=32)),
                ("name", models.CharField(blank=True, default="", max_length=200)),
                ("language", models.CharField(blank=True, default="", max_length=16)),
                ("wording", models.TextField()),
                ("source", newsletter.common.message_fields.MessageField()),
                ("reason", newsletter.common.message_fields.MessageField()),
                ("at", models.DateTimeField()),
                (
                    "mailing_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="held_signups",
                        to="subscribers.mailinglist",
                    ),
                ),
                (
                    "place",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscribers.subscriberlocation",
                    ),
                ),
                ("topics", models.ManyToManyField(blank=True, related_name="+", to="subscribers.topic")),
            ],
            options={
                "verbose_name": "held sign-up",
                "ordering": ["-at"],
                "constraints": [
                    models.UniqueConstraint(fields=("address_hash", "mailing_list"), name="held_signup_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True, verbose_name="name")),
                (
                    "url",
                    models.URLField(
                        max_length=2000,
                        validators=[django.core.validators.URLValidator(schemes=["http", "https"])],
                        verbose_name="url",
                    ),
                ),
                ("kinds", models.JSONField(blank=True, default=list, verbose_name="events")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("stopped", "Stopped: its receiver accepted nothing"),
                            ("off", "Turned off"),
                        ],
                        default="active",
                        max_length=8,
                    ),
                ),
                ("sealed_secret", models.TextField(editable=False)),
                ("sealed_old_secret", models.TextField(blank=True, default="", editable=False)),
                ("old_secret_until", models.DateTimeField(editable=False, null=True)),
                ("made_by", models.CharField(max_length=254)),
                ("made_at", models.DateTimeField()),
                ("failures", models.PositiveIntegerField(default=0)),
                ("failing_since", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
                "ordering": ["name"],
                "default_permissions": ("change",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["active", "stopped", "off"])), name="webhook_state"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sealed_secret", ""), _negated=True), name="webhook_has_secret"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "stopped"), _negated=True),
                            ("failing_since__isnull", False),
                            _connector="OR",
                        ),
                        name="webhook_stopped_since",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("old_secret_until__isnull", True), ("sealed_old_secret", "")),
                            models.Q(
                                models.Q(("sealed_old_secret", ""), _negated=True), ("old_secret_until__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="webhook_old_secret_ends",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("failing_since__isnull", True), ("failures", 0), ("retry_at__isnull", True)),
                            models.Q(("failing_since__isnull", False), ("failures__gt", 0)),
                            _connector="OR",
                        ),
                        name="webhook_failing_since",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WebhookDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Waiting"),
                            ("delivered", "Delivered"),
                            ("given_up", "Given up after 3 days"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("leased_until", models.DateTimeField(null=True)),
                ("claim", models.UUIDField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("first_attempt_at", models.DateTimeField(null=True)),
                ("attempted_at", models.DateTimeField(null=True)),
                (
                    "status",
                    models.PositiveSmallIntegerField(help_text="The HTTP status of the last answer.", null=True),
                ),
                ("milliseconds", models.PositiveIntegerField(null=True)),
                ("error", newsletter.common.message_fields.MessageField(blank=True, default="")),
                (
                    "event",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="subscribers.outboundevent",
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="subscribers.webhookendpoint",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["due_at"], name="webhook_delivery_due"
                    ),
                    models.Index(
                        condition=models.Q(("person__isnull", False)), fields=["person"], name="webhook_delivery_person"
                    ),
                    models.Index(
                        condition=models.Q(("state", "pending")),
                        fields=["endpoint", "person", "event"],
                        name="webhook_delivery_order",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("endpoint", "event"), name="webhook_delivery_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "delivered", "given_up"])),
                        name="webhook_delivery_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "pending"),
                            models.Q(("attempts__gt", 0), ("leased_until__isnull", True)),
                            _connector="OR",
                        ),
                        name="webhook_delivery_tried",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("person_file", "the data of one person"),
                            ("reveal", "a whole address"),
                            ("refused_lines", "the refused lines of an import"),
                        ],
                        max_length=13,
                    ),
                ),
                ("people", models.PositiveIntegerField()),
                ("about", models.BigIntegerField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["by", "at"], name="disclosure_by_whom")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("people__gte", 1), ("people__lte", 500)), name="disclosure_is_small"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["person_file", "reveal", "refused_lines"])),
                        name="disclosure_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportPiece",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pieces", to="subscribers.importbatch"
                    ),
                ),
            ],
            options={
                "ordering": ["seq"],
                "constraints": [models.UniqueConstraint(fields=("batch", "seq"), name="import_piece_once")],
            },
        ),
        migrations.CreateModel(
            name="ImportRefusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("line", models.PositiveIntegerField()),
                ("kind", models.CharField(blank=True, default="", max_length=20)),
                ("raw", models.TextField()),
                ("reason", newsletter.common.message_fields.MessageField()),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusals",
                        to="subscribers.importbatch",
                    ),
                ),
            ],
            options={
                "ordering": ["line"],
                "constraints": [models.UniqueConstraint(fields=("batch", "line"), name="import_refusal_once")],
            },
        ),
    ]
