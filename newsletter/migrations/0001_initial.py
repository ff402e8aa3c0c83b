# Made by makemigrations; see docs/decisions/0020-one-initial-migration.md.

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import modelsearch.index
import newsletter.common.fields.time_zone
import newsletter.common.message_fields
import newsletter.models.body_blocks
import newsletter.models.content.pictures
import newsletter.models.special_issues.subject_tests
import wagtail.models.preview
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "__first__"),
        ("subscribers", "0001_initial"),
        ("wagtailcore", "0098_apitoken"),
        ("wagtailimages", "0027_image_description"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "modellogentry_ptr",
                    models.OneToOneField(
                        auto_created=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        parent_link=True,
                        primary_key=True,
                        serialize=False,
                        to="wagtailcore.modellogentry",
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True, help_text="The network address it was done from, if known.", max_length=45
                    ),
                ),
                ("previous", models.CharField(max_length=64, unique=True)),
                ("sha256", models.CharField(max_length=64)),
            ],
            options={
                "verbose_name": "staff log entry",
                "verbose_name_plural": "staff log entries",
                "default_permissions": ("view",),
            },
            bases=("wagtailcore.modellogentry",),
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveIntegerField()),
                ("part", models.PositiveIntegerField(help_text="The number of this batch within its variant, from 0.")),
                ("size", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("submitting", "Submitting"),
                            ("accepted", "Accepted"),
                            ("partial", "Partial"),
                            ("rejected", "Rejected"),
                            ("uncertain", "Uncertain"),
                            ("written_off", "Written off"),
                        ],
                        default="pending",
                        max_length=12,
                    ),
                ),
                ("reason", newsletter.common.message_fields.MessageField(blank=True)),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        choices=[("", "None"), ("render_failure", "Render Failure"), ("limit", "Limit")],
                        default="",
                        max_length=14,
                    ),
                ),
                ("key", models.CharField(max_length=40, unique=True, verbose_name="idempotency key")),
                ("account", models.CharField(default="default", max_length=30)),
                ("handed_to", models.CharField(blank=True, default="", max_length=30)),
                ("from_uncertain", models.BooleanField(default=False)),
                ("attempt_number", models.PositiveIntegerField(default=0)),
                ("due_at", models.DateTimeField(null=True)),
                ("waits", models.BooleanField(default=False)),
                ("not_before", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("provider_id", models.CharField(blank=True, max_length=200)),
                ("settled_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["send", "seq"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "pending",
                                    "submitting",
                                    "accepted",
                                    "partial",
                                    "rejected",
                                    "uncertain",
                                    "written_off",
                                ],
                            )
                        ),
                        name="batch_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code__in", ["", "render_failure", "limit"])), name="batch_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account", ""), _negated=True), name="batch_has_account"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("handed_to", models.F("account")),
                            models.Q(("handed_to", ""), models.Q(("state", "submitting"), _negated=True)),
                            _connector="OR",
                        ),
                        name="batch_stays_with_account",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PasswordLinkRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.CharField(max_length=254)),
                ("address", models.CharField(blank=True, max_length=45)),
                ("asked_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ProviderAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                ("next_at", models.FloatField(default=0, help_text="Seconds since 1970.")),
                ("wait_until", models.FloatField(default=0, help_text="Seconds since 1970: no calls before this.")),
                ("failures", models.PositiveIntegerField(default=0, help_text="Single mails that failed in a row.")),
                (
                    "pace",
                    models.FloatField(
                        default=1, help_text="Share of the rate in use since the provider answered “too many”."
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SenderDomain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("domain", models.CharField(max_length=255, unique=True)),
                ("provider", models.CharField(blank=True, max_length=60)),
                ("findings", newsletter.common.message_fields.MessagesJSONField(default=list)),
                ("further", newsletter.common.message_fields.MessagesJSONField(default=dict)),
                ("looked_at", models.DateTimeField(null=True)),
                ("policy_domain", models.CharField(blank=True, default="", max_length=255)),
                ("policy", models.CharField(blank=True, default="", max_length=10)),
                ("policy_tag", models.CharField(blank=True, default="", max_length=2)),
                ("reports_since", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("policy__in", ["", "none", "quarantine", "reject"])),
                        name="sender_domain_policy",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("policy_tag__in", ["", "p", "sp", "np", "t"])),
                        name="sender_domain_policy_tag",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("policy", ""), ("policy_tag", "")),
                            models.Q(
                                models.Q(("policy", ""), _negated=True), models.Q(("policy_tag", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="sender_domain_tag_decides",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderWebhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                ("account", models.CharField(default="default", max_length=30)),
                ("sealed_keys", models.TextField(blank=True)),
                ("set_up_at", models.DateTimeField(null=True)),
                ("last_report_at", models.DateTimeField(null=True)),
                ("verified_by", models.CharField(blank=True, default="", max_length=32)),
                ("claimed_until", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "account"), name="one_webhook_per_account")
                ],
            },
        ),
        migrations.CreateModel(
            name="SuppressionListReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=120, unique=True)),
                ("begun_at", models.DateTimeField()),
                ("known_until", models.DateTimeField(null=True)),
                ("entries", models.PositiveIntegerField(default=0)),
                ("suppressed", models.PositiveIntegerField(default=0)),
                ("error", newsletter.common.message_fields.MessageField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="What uses the key, such as “Web site” or “Donor database”.", max_length=120
                    ),
                ),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("hint", models.CharField(editable=False, max_length=12)),
                ("scope", models.CharField(max_length=400)),
                ("all_lists", models.BooleanField(default=True)),
                ("calls_per_minute", models.PositiveIntegerField(default=120)),
                ("made_by", models.CharField(max_length=254)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("last_used_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                ("revoked_by", models.CharField(blank=True, default="", max_length=254)),
                ("lists", models.ManyToManyField(blank=True, related_name="+", to="subscribers.mailinglist")),
            ],
            options={
                "verbose_name": "API key",
                "ordering": ["-pk"],
                "default_permissions": ("change",),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("scope", ""), _negated=True), name="api_key_scope"),
                    models.CheckConstraint(
                        condition=models.Q(("calls_per_minute__gte", 1), ("calls_per_minute__lte", 60000)),
                        name="api_key_limit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiCall",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("method", models.CharField(max_length=8)),
                ("path", models.CharField(max_length=200)),
                ("status", models.PositiveSmallIntegerField()),
                ("milliseconds", models.PositiveIntegerField()),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calls",
                        to="newsletter.apikey",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["key", "-id"], name="api_call_last")],
            },
        ),
        migrations.CreateModel(
            name="ApiAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("idempotency_key", models.CharField(max_length=255)),
                ("request_hash", models.CharField(max_length=64)),
                ("at", models.DateTimeField(db_index=True)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("sealed_content", models.TextField(blank=True, default="")),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="newsletter.apikey",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("key", "idempotency_key"), name="api_answer_once")],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(db_column="n")),
                ("provider", models.CharField(blank=True, max_length=60)),
                ("people", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(blank=True, max_length=12)),
                ("detail", newsletter.common.message_fields.MessageField(blank=True)),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("sent_again", "Sent Again"),
                            ("render_failure", "Render Failure"),
                            ("render_stop", "Render Stop"),
                            ("not_called", "Not Called"),
                            ("account_refused", "Account Refused"),
                            ("worker_lost", "Worker Lost"),
                        ],
                        default="",
                        max_length=15,
                    ),
                ),
                ("fingerprints", models.BinaryField(default=b"")),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="newsletter.batch"
                    ),
                ),
            ],
            options={
                "ordering": ["batch", "number"],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "number"), name="attempt_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)), fields=("batch",), name="one_open_attempt"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "code__in",
                                [
                                    "",
                                    "sent_again",
                                    "render_failure",
                                    "render_stop",
                                    "not_called",
                                    "account_refused",
                                    "worker_lost",
                                ],
                            )
                        ),
                        name="attempt_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ContentEdit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("row_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["kind", "row_id", "at"], name="content_edit_by_row")],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subscriber_id", models.BigIntegerField(db_index=True)),
                ("address_hash", models.BinaryField(max_length=16)),
                ("proof", models.BooleanField(default=False)),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deliveries",
                        to="newsletter.batch",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.CreateModel(
            name="Bounce",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "bounce_class",
                    models.CharField(
                        choices=[
                            ("hard", "the address does not exist"),
                            ("soft", "failed this time"),
                            ("block", "refused because of the sender"),
                            ("suppressed", "not sent, because the address is on your provider’s own suppression list"),
                        ],
                        max_length=10,
                    ),
                ),
                ("status", models.CharField(blank=True, max_length=12)),
                (
                    "reason",
                    models.CharField(
                        blank=True, help_text="The answer of the receiving server, without addresses.", max_length=300
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "delivery",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="bounce", to="newsletter.delivery"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("bounce_class__in", ["hard", "soft", "block", "suppressed"])),
                        name="bounce_class",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SenderDelay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("status", models.CharField(max_length=12)),
                ("at", models.DateTimeField()),
                (
                    "delivery",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sender_delay",
                        to="newsletter.delivery",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeliveryException",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        blank=True,
                        choices=[("rejected", "Rejected"), ("skipped", "Skipped"), ("uncertain", "Uncertain")],
                        max_length=10,
                    ),
                ),
                ("reason", newsletter.common.message_fields.MessageField(blank=True)),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("unsubscribed", "Unsubscribed"),
                            ("already_mailed", "Already Mailed"),
                            ("render_failure", "Render Failure"),
                        ],
                        default="",
                        max_length=14,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("bounced_at", models.DateTimeField(null=True)),
                ("complained_at", models.DateTimeField(null=True)),
                ("unsubscribed_at", models.DateTimeField(null=True)),
                (
                    "delivery",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="exception", to="newsletter.delivery"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "uncertain")), fields=["delivery"], name="delivery_uncertain"
                    ),
                    models.Index(
                        condition=models.Q(("complained_at__isnull", False)),
                        fields=["complained_at"],
                        name="delivery_complained",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["", "rejected", "skipped", "uncertain"])),
                        name="delivery_exception_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code__in", ["", "unsubscribed", "already_mailed", "render_failure"])),
                        name="delivery_exception_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EventNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(blank=True, max_length=12, verbose_name="language")),
                (
                    "original_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(models.When(then=models.F("pk"), translation_of__isnull=True)),
                        output_field=models.BigIntegerField(),
                        unique=True,
                    ),
                ),
                ("external_id", models.CharField(max_length=500, verbose_name="external id")),
                ("title", models.CharField(max_length=300, verbose_name="title")),
                ("summary", models.TextField(blank=True, verbose_name="summary")),
                ("url", models.URLField(blank=True, max_length=2000, verbose_name="url")),
                ("starts_at", models.DateTimeField(db_index=True, verbose_name="starts at")),
                ("ends_at", models.DateTimeField(blank=True, null=True, verbose_name="ends at")),
                ("zone", models.CharField(blank=True, max_length=60, verbose_name="zone")),
                (
                    "zone_basis",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Given"),
                            ("floating", "Floating"),
                            ("place", "Place"),
                            ("unknown", "Unknown"),
                        ],
                        default="",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("all_day", models.BooleanField(default=False, verbose_name="all day")),
                (
                    "day",
                    models.DateField(
                        blank=True, help_text="The date of an all-day event.", null=True, verbose_name="day"
                    ),
                ),
                ("place_text", models.CharField(blank=True, max_length=300, verbose_name="location")),
                ("town", models.CharField(blank=True, max_length=120, verbose_name="town")),
                ("country", models.CharField(blank=True, max_length=2, verbose_name="country")),
                ("region", models.CharField(blank=True, max_length=10, verbose_name="region")),
                (
                    "latitude",
                    models.FloatField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(-90),
                            django.core.validators.MaxValueValidator(90),
                        ],
                        verbose_name="latitude",
                    ),
                ),
                (
                    "longitude",
                    models.FloatField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(-180),
                            django.core.validators.MaxValueValidator(180),
                        ],
                        verbose_name="longitude",
                    ),
                ),
                ("online", models.BooleanField(default=False, verbose_name="online")),
                ("cancelled", models.BooleanField(default=False, verbose_name="cancelled")),
                (
                    "note",
                    newsletter.common.message_fields.MessageField(
                        blank=True, help_text="What is uncertain, for staff.", verbose_name="note"
                    ),
                ),
                ("note_without_zone", newsletter.common.message_fields.MessageField(blank=True, editable=False)),
                ("checked_note", newsletter.common.message_fields.MessageField(blank=True, editable=False)),
                (
                    "place_question",
                    newsletter.common.message_fields.MessagesJSONField(
                        blank=True,
                        default=dict,
                        editable=False,
                        help_text="{note, event_note, candidates: [{town, country, region, latitude, longitude, zone}]}, or empty.",
                    ),
                ),
                ("seen_at", models.DateTimeField(editable=False)),
                ("source_sha256", models.CharField(blank=True, editable=False, max_length=64)),
                ("changed_at", models.DateTimeField(db_index=True, editable=False, null=True)),
                ("place_text_changed_at", models.DateTimeField(editable=False, null=True)),
                ("change_notified_at", models.DateTimeField(editable=False, null=True)),
                ("reused_at", models.DateTimeField(editable=False, null=True)),
                ("edited_fields", models.JSONField(default=list, editable=False)),
                (
                    "translation_of",
                    models.ForeignKey(
                        blank=True,
                        help_text="Readers of its language get it in place of this one.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="translations",
                        to="newsletter.eventnotice",
                        to_field="original_key",
                        verbose_name="translation of",
                    ),
                ),
            ],
            options={
                "verbose_name": "event",
                "verbose_name_plural": "events",
                "ordering": ["starts_at"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("translation_of", "language"),
                        name="eventnotice_one_translation_per_language",
                        violation_error_message="There is a translation in this language already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("translation_of__isnull", True),
                            models.Q(("translation_of", models.F("pk")), _negated=True),
                            _connector="OR",
                        ),
                        name="eventnotice_translates_another",
                        violation_error_message="It cannot be a translation of itself.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("translation_of__isnull", True), models.Q(("language", ""), _negated=True), _connector="OR"
                        ),
                        name="eventnotice_translation_has_language",
                        violation_error_message="Choose the language of the translation.",
                    ),
                ],
            },
            bases=(modelsearch.index.Indexed, models.Model),
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "change_type",
                    models.CharField(
                        choices=[
                            ("cancelled", "It is cancelled"),
                            ("moved", "It moved"),
                            ("restored", "It takes place after all"),
                            ("mistake", "An issue had a mistake"),
                        ],
                        max_length=10,
                    ),
                ),
                ("fingerprint", models.CharField(blank=True, max_length=64)),
                ("sequence", models.PositiveIntegerField(default=1)),
                ("made_at", models.DateTimeField()),
                (
                    "event",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="newsletter.eventnotice",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("change_type__in", ["cancelled", "moved", "restored", "mistake"])),
                        name="correction_change_type",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CorrectedDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("correction_delivery", models.BigIntegerField()),
                ("fingerprint", models.CharField(max_length=64)),
                (
                    "correction",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrected_deliveries",
                        to="newsletter.correction",
                    ),
                ),
                (
                    "delivery",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="newsletter.delivery",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="newsletter.eventnotice",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("delivery", "event", "fingerprint"), name="mail_corrected_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Installation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address_key_hash", models.CharField(max_length=64)),
                ("held", models.BooleanField(default=False)),
                ("reason", newsletter.common.message_fields.MessageField(blank=True)),
                ("changed_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
                ("restored_at", models.DateTimeField(null=True)),
                ("backed_up_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_installation")],
            },
        ),
        migrations.CreateModel(
            name="Issue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("locked", models.BooleanField(default=False, editable=False, verbose_name="locked")),
                ("locked_at", models.DateTimeField(editable=False, null=True, verbose_name="locked at")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("issue", "issue"),
                            ("digest", "monthly digest"),
                            ("correction", "correction"),
                            ("welcome", "welcome mail"),
                        ],
                        default="issue",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField(db_index=True, editable=False, null=True)),
                ("delay_days", models.PositiveSmallIntegerField(editable=False, null=True)),
                ("on_since", models.DateTimeField(editable=False, null=True)),
                ("number", models.PositiveIntegerField(editable=False)),
                ("public_id", models.CharField(editable=False, max_length=32, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("in_review", "In review"),
                            ("approved", "Approved"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="draft",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("held", models.BooleanField(default=False, editable=False)),
                ("held_reason", newsletter.common.message_fields.MessageField(blank=True, editable=False)),
                ("released_at", models.DateTimeField(editable=False, null=True)),
                (
                    "reasons",
                    newsletter.common.message_fields.MessagesJSONField(
                        default=list, editable=False, help_text="[{kind, title, in, why}, …] as assembly decided."
                    ),
                ),
                ("made_at", models.DateTimeField(editable=False)),
                (
                    "assembled",
                    models.JSONField(
                        default=dict,
                        editable=False,
                        help_text="{subject, preheader, body} as assembled, before any edit.",
                    ),
                ),
                ("in_archive", models.BooleanField(default=True, editable=False)),
                ("closed_at", models.DateTimeField(editable=False, null=True)),
                ("closed_reason", models.CharField(blank=True, editable=False, max_length=500)),
                (
                    "announced_people",
                    models.PositiveIntegerField(
                        editable=False, help_text="The number of recipients in the notice to staff.", null=True
                    ),
                ),
                (
                    "announced_audience",
                    models.CharField(
                        blank=True,
                        editable=False,
                        help_text="The hash of the audience in the notice to staff.",
                        max_length=64,
                    ),
                ),
                ("subject", models.CharField(blank=True, verbose_name="subject")),
                ("preheader", models.CharField(blank=True, verbose_name="preheader")),
                (
                    "layout",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "The publication’s layout"),
                            ("letter", "Letter: a greeting, a lead story, and what follows"),
                            ("plain", "Plain letter: as if a person wrote it, without cards or buttons"),
                            ("events_first", "Events first: the next event large, and stories after the events"),
                            ("digest", "Digest: what is in it, then many things in short"),
                            ("announcement", "Announcement: one piece of news under its own headline"),
                            ("event_notice", "Event notice: one day, large, and all about it"),
                            ("appeal", "Appeal: one request in the brand’s colour"),
                        ],
                        max_length=12,
                        verbose_name="layout",
                    ),
                ),
                (
                    "headline",
                    models.CharField(
                        blank=True,
                        help_text="Heading of announcements, event notices and appeals. Leave empty to use the subject.",
                        verbose_name="headline",
                    ),
                ),
                (
                    "charitable",
                    models.BooleanField(
                        default=True,
                        help_text="Turn this off if it also sells or promotes something else, such as a shop. People covered only by the UK’s charitable soft opt-in do not get it then.",
                        verbose_name="only for our charitable purposes",
                    ),
                ),
                ("body", newsletter.models.body_blocks.BodyField([], blank=True, verbose_name="body")),
                (
                    "closed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "completes",
                    models.ForeignKey(
                        editable=False,
                        help_text="The issue whose cancelled send this one completes: it goes to those not reached.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="completions",
                        to="newsletter.issue",
                    ),
                ),
                (
                    "latest_revision",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailcore.revision",
                        verbose_name="latest revision",
                    ),
                ),
                (
                    "locked_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="locked_%(class)ss",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="locked by",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="subscribers.segment",
                    ),
                ),
            ],
            options={
                "verbose_name": "issue",
                "verbose_name_plural": "issues",
                "ordering": ["-made_at", "-id"],
                "permissions": [
                    ("approve_issue", "Can approve an issue"),
                    ("send_issue", "Can start, pause and stop a send"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "layout__in",
                                [
                                    "",
                                    "letter",
                                    "plain",
                                    "events_first",
                                    "digest",
                                    "announcement",
                                    "event_notice",
                                    "appeal",
                                ],
                            )
                        ),
                        name="issue_layout",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["issue", "digest", "correction", "welcome"])),
                        name="issue_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                models.Q(
                                    models.Q(("delay_days", 0), ("number", 1)),
                                    models.Q(("delay_days__gte", 1), ("number__in", [2, 3])),
                                    _connector="OR",
                                ),
                                ("due_at__isnull", True),
                                ("kind", "welcome"),
                                ("segment__isnull", True),
                                ("state__in", ["draft", "in_review", "approved"]),
                            ),
                            models.Q(
                                models.Q(("kind", "welcome"), _negated=True),
                                ("delay_days__isnull", True),
                                ("on_since__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="welcome_mail_has_step_and_days",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "cancelled"), _negated=True),
                        fields=("completes",),
                        name="one_live_completion_per_issue",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("closed_by__isnull", True), ("closed_reason", "")),
                            models.Q(
                                ("closed_at__isnull", False),
                                ("closed_by__isnull", False),
                                ("state", "cancelled"),
                                models.Q(("closed_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="issue_closed_by_a_person_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["draft", "in_review", "approved", "sending", "sent", "cancelled"])
                        ),
                        name="issue_state",
                    ),
                ],
            },
            bases=(wagtail.models.preview.PreviewableMixin, models.Model),
        ),
        migrations.CreateModel(
            name="Gift",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.CharField(max_length=120, unique=True)),
                ("block", models.CharField(blank=True, max_length=60)),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12)),
                ("currency", models.CharField(max_length=3)),
                ("given_on", models.DateField()),
                ("added_at", models.DateTimeField()),
                ("added_by", models.CharField(max_length=254)),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="gifts", to="newsletter.issue"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="gift_of_something")
                ],
            },
        ),
        migrations.AddField(
            model_name="delivery",
            name="issue",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="newsletter.issue",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="corrects",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="corrections",
                to="newsletter.issue",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="issue",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="correction", to="newsletter.issue"
            ),
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("block", models.CharField(blank=True, max_length=36)),
                ("block_label", models.CharField(blank=True, max_length=200)),
                ("text", models.TextField()),
                ("at", models.DateTimeField()),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "parent",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="newsletter.comment",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="comments", to="newsletter.issue"
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="comment_says_something"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("resolved_at__isnull", False), ("resolved_by__isnull", True), _connector="OR"
                        ),
                        name="comment_resolved_by_a_person_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("parent__isnull", True),
                            models.Q(("block", ""), ("block_label", ""), ("resolved_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="comment_answer_belongs_to_its_comment",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("block", ""), models.Q(("block_label", ""), _negated=True), _connector="OR"
                        ),
                        name="comment_names_its_block",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Acknowledgement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "warning",
                    models.CharField(help_text="sha256 of the warning’s code, message and field.", max_length=64),
                ),
                ("message", newsletter.common.message_fields.MessageField()),
                ("at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="acknowledgements",
                        to="newsletter.issue",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("issue", "sha256", "warning"), name="acknowledged_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="IssueRevision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("content", models.JSONField()),
                ("made_at", models.DateTimeField()),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="content_revisions",
                        to="newsletter.issue",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("issue", "number"), name="revision_number_once"),
                    models.UniqueConstraint(fields=("issue", "sha256"), name="revision_content_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("by_policy", models.BooleanField(default=False)),
                ("audience", models.JSONField(default=dict)),
                ("audience_sha256", models.CharField(blank=True, max_length=64)),
                ("people", models.PositiveIntegerField(null=True)),
                ("at", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="approvals", to="newsletter.issue"
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to="newsletter.issuerevision"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("person__isnull", False), ("withdrawn_at__isnull", True)),
                        fields=("issue", "sha256", "person"),
                        name="approval_once_per_person",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("by_policy", True), ("withdrawn_at__isnull", True)),
                        fields=("issue", "sha256"),
                        name="approval_once_by_policy",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("by_policy", False), ("person__isnull", False)),
                            models.Q(("by_policy", True), ("person__isnull", True)),
                            _connector="OR",
                        ),
                        name="approval_has_one_source",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("audience_sha256", ""), ("people__isnull", True)),
                            models.Q(models.Q(("audience_sha256", ""), _negated=True), ("people__isnull", False)),
                            _connector="OR",
                        ),
                        name="approval_names_its_audience",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LinkCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("url", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[("good", "Answers"), ("dead", "Not found"), ("unreached", "Does not answer")],
                        max_length=10,
                    ),
                ),
                ("message", newsletter.common.message_fields.MessageField(blank=True)),
                ("looked_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["good", "dead", "unreached"])), name="link_check_state"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LinkClicks",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("link", models.CharField(max_length=16)),
                ("url", models.TextField()),
                ("day", models.DateField()),
                ("arm", models.PositiveSmallIntegerField(default=0)),
                ("people", models.PositiveIntegerField(default=0)),
                ("machines", models.PositiveIntegerField(default=0)),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="link_clicks", to="newsletter.issue"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("issue", "link", "day", "arm"), name="link_clicks_once_a_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="MailLimits",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mails_in_7_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="The most newsletters that one person gets in 7 days, counted as 6½, so that a weekly issue counts once. Empty: no limit.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(
                                1, "With 0, nobody would get any newsletter. Enter 1 or more."
                            )
                        ],
                        verbose_name="mails in 7 days",
                    ),
                ),
                (
                    "silent_months",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="People who did nothing on their own pages and sent no reply for so long get one mail: “Do you still want our emails?” Without an answer in 30 days, they get no newsletters until they answer. Empty: nobody is asked.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(6, "Wait at least 6 months before you ask."),
                            django.core.validators.MaxValueValidator(120),
                        ],
                        verbose_name="ask after this many months of silence",
                    ),
                ),
                (
                    "questions_per_day",
                    models.PositiveIntegerField(
                        default=500,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="at most this many questions a day",
                    ),
                ),
            ],
            options={
                "verbose_name": "limits for one person",
                "verbose_name_plural": "limits for one person",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="one_row_of_mail_limits"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("mails_in_7_days__isnull", True), ("mails_in_7_days__gte", 1), _connector="OR"
                        ),
                        name="mail_limit_is_not_0",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("silent_months__isnull", True), ("silent_months__gte", 6), _connector="OR"),
                        name="silence_is_long",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MailTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("fields", models.JSONField(blank=True, default=dict)),
                (
                    "editors",
                    models.JSONField(
                        default=list, help_text="The ids of the staff who edited it since it was last approved"
                    ),
                ),
                ("edited_at", models.DateTimeField()),
                ("approved_sha256", models.CharField(blank=True, default="", max_length=64)),
                ("approved_at", models.DateTimeField(null=True)),
                (
                    "approved_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "mail template",
                "verbose_name_plural": "mail templates",
                "ordering": ["name"],
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="mail_template_has_a_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("approved_at__isnull", True), ("approved_sha256", "")),
                            models.Q(models.Q(("approved_sha256", ""), _negated=True), ("approved_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="mail_template_approved_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MailTemplateText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(max_length=16)),
                ("subject", models.CharField(max_length=200, verbose_name="subject")),
                ("preheader", models.CharField(blank=True, max_length=200, verbose_name="preheader")),
                ("body", models.TextField(max_length=10000, verbose_name="text")),
                ("button_label", models.CharField(blank=True, max_length=60, verbose_name="label of the button")),
                ("button_url", models.CharField(blank=True, max_length=2000, verbose_name="link of the button")),
                ("reason", models.CharField(max_length=300, verbose_name="why they get it")),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="texts", to="newsletter.mailtemplate"
                    ),
                ),
            ],
            options={
                "ordering": ["language"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("template", "language"), name="mail_template_text_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Picture",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        default=newsletter.models.content.pictures.make_picture_name,
                        editable=False,
                        max_length=40,
                        unique=True,
                    ),
                ),
                ("source_url", models.URLField(blank=True, db_index=True, max_length=2000)),
                ("file", models.CharField(max_length=120)),
                ("sha256", models.CharField(max_length=64)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("alt", models.CharField(blank=True, max_length=300)),
                ("byte_size", models.PositiveIntegerField(default=0, editable=False)),
                ("colour", models.CharField(blank=True, editable=False, max_length=7)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True)),
                (
                    "original",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="renditions",
                        to="newsletter.picture",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Brand",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(default="default", unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("colour", models.CharField(default="#1f4e5f", max_length=7, verbose_name="colour")),
                ("accent", models.CharField(default="#b3541e", max_length=7, verbose_name="accent")),
                ("background", models.CharField(default="#f4f1ec", max_length=7, verbose_name="background")),
                (
                    "font",
                    models.CharField(default="Georgia, 'Times New Roman', serif", max_length=200, verbose_name="font"),
                ),
                (
                    "heading_font",
                    models.CharField(
                        blank=True,
                        help_text="Empty: the font of the text.",
                        max_length=200,
                        verbose_name="heading font",
                    ),
                ),
                (
                    "radius",
                    models.PositiveSmallIntegerField(
                        default=8,
                        help_text="In pixels; 0 is square.",
                        validators=[django.core.validators.MaxValueValidator(24)],
                        verbose_name="round corners",
                    ),
                ),
                (
                    "masthead",
                    models.CharField(
                        choices=[
                            ("plain", "The name in the middle, on the page"),
                            ("band", "A band in the brand’s colour"),
                            ("rule", "The name at the side, with a line under it"),
                        ],
                        default="plain",
                        max_length=5,
                        verbose_name="masthead",
                    ),
                ),
                (
                    "text_links",
                    models.CharField(
                        choices=[("beneath", "Beneath their words"), ("end", "Numbered, at the end")],
                        default="beneath",
                        help_text="For readers whose mail program shows no HTML. The links of the footer always stay in the footer.",
                        max_length=7,
                        verbose_name="links in plain text",
                    ),
                ),
                (
                    "postal_address",
                    models.CharField(
                        blank=True,
                        help_text="The law requires it in every issue.",
                        max_length=300,
                        verbose_name="postal address",
                    ),
                ),
                ("website", models.URLField(blank=True, max_length=2000, verbose_name="website")),
                (
                    "privacy_url",
                    models.URLField(
                        blank=True,
                        help_text="The address of your privacy notice. The sign-up page and pages for subscribers link to it.",
                        max_length=2000,
                        verbose_name="privacy notice",
                    ),
                ),
                ("donate_url", models.URLField(blank=True, max_length=2000, verbose_name="donation page")),
                ("donor_portal_url", models.URLField(blank=True, max_length=2000, verbose_name="page for donors")),
                (
                    "social",
                    models.JSONField(
                        blank=True, default=dict, help_text='{"facebook": "https://…"}', verbose_name="social"
                    ),
                ),
                (
                    "gift_hosts",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Hosts whose links in mails name the issue and the block, so that reports can say what each raised. They never name a reader.",
                        verbose_name="donation pages",
                    ),
                ),
                ("archived", models.BooleanField(default=False, editable=False, verbose_name="archived")),
                (
                    "logo",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="newsletter.picture",
                    ),
                ),
                (
                    "logo_dark",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="newsletter.picture",
                    ),
                ),
            ],
            options={
                "verbose_name": "brand",
                "verbose_name_plural": "brands",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("masthead__in", ["plain", "band", "rule"])), name="brand_masthead"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text_links__in", ["beneath", "end"])), name="brand_text_links"
                    ),
                ],
            },
            bases=(wagtail.models.preview.PreviewableMixin, models.Model),
        ),
        migrations.CreateModel(
            name="Proof",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("label_facts", models.JSONField(default=list)),
                ("provider", models.CharField(max_length=60)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("accepted", "Accepted"),
                            ("failed", "Failed"),
                            ("uncertain", "Uncertain"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("reason", newsletter.common.message_fields.MessageField(blank=True)),
                ("key", models.CharField(max_length=40, unique=True)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="proofs", to="newsletter.issue"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["asked", "accepted", "failed", "uncertain"])),
                        name="proof_state",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtectedTerm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed", models.TextField(editable=False)),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                (
                    "note",
                    models.CharField(
                        blank=True,
                        help_text="Why it is here, without revealing it: “real name, story of May”.",
                        max_length=200,
                    ),
                ),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "protected term",
                "verbose_name_plural": "protected terms",
                "ordering": ["made_at"],
                "default_permissions": ("change",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sealed", ""), _negated=True), name="protected_term_sealed"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("digest", ""), _negated=True), name="protected_term_named"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProviderEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=200)),
                ("kind", models.CharField(max_length=20)),
                ("body", models.JSONField()),
                ("once", models.CharField(max_length=64, null=True)),
                ("received_at", models.DateTimeField()),
                ("retry_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("applied_at", models.DateTimeField(null=True)),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Waiting"),
                            ("applied", "Applied"),
                            ("orphan", "Not about our mail"),
                            ("noted", "Nothing to do"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("applied_at__isnull", True)),
                        fields=["retry_at", "id"],
                        name="provider_event_waiting",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "key"), name="provider_event_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("once__isnull", False)),
                        fields=("provider", "once"),
                        name="provider_token_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("result__in", ["", "applied", "orphan", "noted"])),
                        name="provider_event_result",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Publication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True, verbose_name="slug")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("from_name", models.CharField(max_length=100, verbose_name="sender name")),
                ("from_email", models.EmailField(max_length=254, verbose_name="sender address")),
                ("reply_to", models.EmailField(blank=True, max_length=254, verbose_name="reply to")),
                (
                    "subject",
                    models.CharField(
                        default="{lead_headline}",
                        help_text="{lead_headline} is replaced by the title of the first story.",
                        max_length=200,
                        verbose_name="subject",
                    ),
                ),
                (
                    "schedule",
                    models.CharField(
                        help_text="Minute, hour, day, month, weekday: 0 9 * * thu",
                        max_length=60,
                        verbose_name="schedule",
                    ),
                ),
                ("zone", models.CharField(default="UTC", max_length=60, verbose_name="zone")),
                (
                    "send_at",
                    models.CharField(
                        choices=[
                            ("slot", "Everybody at the same moment"),
                            ("local", "Each reader at this time of day where they live"),
                        ],
                        default="slot",
                        help_text="A reader’s place decides the time zone, else your import, else the publication. Readers in the east get it first, so drafts are ready earlier. Corrections, and what you send by “Send now”, go to everybody at once.",
                        max_length=5,
                        verbose_name="send at",
                    ),
                ),
                (
                    "lead_hours",
                    models.PositiveIntegerField(
                        default=24,
                        validators=[django.core.validators.MaxValueValidator(336)],
                        verbose_name="lead hours",
                    ),
                ),
                (
                    "approval",
                    models.CharField(
                        choices=[
                            ("approve", "A named person approves each issue"),
                            ("auto", "Sent when due unless held"),
                        ],
                        default="approve",
                        max_length=8,
                        verbose_name="approval",
                    ),
                ),
                (
                    "another_approves",
                    models.BooleanField(
                        blank=True,
                        default=None,
                        help_text="A person who edits an issue, or content that it shows, cannot approve it; somebody else must. Unless you choose, this is on if two or more people may approve.",
                        null=True,
                        verbose_name="another approves",
                    ),
                ),
                (
                    "second_approval_above",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="An issue that goes to more people needs two approvals. Empty: one is enough.",
                        null=True,
                        verbose_name="second approval above",
                    ),
                ),
                (
                    "clicks",
                    models.CharField(
                        choices=[("off", "Clicks are not counted"), ("counts", "Anonymous counts per link")],
                        default="off",
                        max_length=6,
                        verbose_name="clicks",
                    ),
                ),
                (
                    "stories",
                    models.PositiveSmallIntegerField(
                        default=5, validators=[django.core.validators.MaxValueValidator(20)], verbose_name="stories"
                    ),
                ),
                (
                    "events",
                    models.PositiveSmallIntegerField(
                        default=4, validators=[django.core.validators.MaxValueValidator(12)], verbose_name="events"
                    ),
                ),
                (
                    "radius_km",
                    models.PositiveIntegerField(
                        default=80,
                        validators=[django.core.validators.MaxValueValidator(1000)],
                        verbose_name="radius km",
                    ),
                ),
                (
                    "days_back",
                    models.PositiveIntegerField(
                        default=30,
                        help_text="How old a story may be when it is new here, in days. This holds for the first issue too.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="days back",
                    ),
                ),
                (
                    "waiting_days",
                    models.PositiveIntegerField(
                        default=90,
                        help_text="How many days a story waits for room in an issue. After that it is too old.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="waiting days",
                    ),
                ),
                (
                    "days_ahead",
                    models.PositiveIntegerField(
                        default=30,
                        help_text="How far ahead events may be.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(3650),
                        ],
                        verbose_name="days ahead",
                    ),
                ),
                (
                    "interests",
                    models.CharField(
                        choices=[
                            ("off", "Everybody gets the same stories"),
                            ("first", "Stories of a reader’s topics come first"),
                            ("only", "Readers get only stories of their topics"),
                        ],
                        default="off",
                        help_text="Readers who chose no topic get every story. A story without a topic is for everybody. People are asked for their topics only if they count.",
                        max_length=5,
                        verbose_name="interests",
                    ),
                ),
                (
                    "pinned_lead",
                    models.BooleanField(
                        default=False,
                        help_text="It comes first, whatever a reader’s topics are.",
                        verbose_name="the lead story is for everybody",
                    ),
                ),
                (
                    "max_variants",
                    models.PositiveIntegerField(
                        default=400,
                        help_text="An issue never has more. If topics, languages, places and blocks would make more, the versions with the fewest people are merged: first their topics count less, then their place.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10000),
                        ],
                        verbose_name="maximum versions",
                    ),
                ),
                (
                    "intro",
                    models.TextField(
                        blank=True,
                        help_text='Opens each issue. It can contain personal fields: Dear {{ first_name | default:"friend" }},',
                        verbose_name="intro",
                    ),
                ),
                (
                    "host_url",
                    models.URLField(
                        blank=True,
                        help_text="Where recipients with no event near them learn to host one.",
                        max_length=2000,
                        verbose_name="host url",
                    ),
                ),
                ("language", models.CharField(default="en", max_length=12, verbose_name="language")),
                (
                    "languages",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Readers of these languages get the texts that you translate, and the rest in the language above.",
                        verbose_name="further languages",
                    ),
                ),
                (
                    "layout",
                    models.CharField(
                        choices=[
                            ("letter", "Letter: a greeting, a lead story, and what follows"),
                            ("plain", "Plain letter: as if a person wrote it, without cards or buttons"),
                            ("events_first", "Events first: the next event large, and stories after the events"),
                            ("digest", "Digest: what is in it, then many things in short"),
                            ("announcement", "Announcement: one piece of news under its own headline"),
                            ("event_notice", "Event notice: one day, large, and all about it"),
                            ("appeal", "Appeal: one request in the brand’s colour"),
                        ],
                        default="letter",
                        help_text="How its issues are laid out.",
                        max_length=12,
                        verbose_name="layout",
                    ),
                ),
                (
                    "quiet_from",
                    models.TimeField(
                        blank=True,
                        help_text="No mail is sent from this time of day …",
                        null=True,
                        verbose_name="quiet from",
                    ),
                ),
                (
                    "quiet_until",
                    models.TimeField(
                        blank=True,
                        help_text="… until this one. Then a send continues. If readers get issues by their own clock, these are hours of that clock.",
                        null=True,
                        verbose_name="quiet until",
                    ),
                ),
                (
                    "stale_hours",
                    models.PositiveIntegerField(
                        default=48,
                        help_text="Stop and ask if sending is later than this. Enter 0 to always send.",
                        validators=[django.core.validators.MaxValueValidator(1440)],
                        verbose_name="stale hours",
                    ),
                ),
                (
                    "people_per_day",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Maximum number of recipients per day. The rest get it on the following days.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                        verbose_name="people per day",
                    ),
                ),
                (
                    "warm_up_from",
                    models.DateField(
                        blank=True,
                        help_text="A new sending domain starts with 50 people on this day and more each day after.",
                        null=True,
                        verbose_name="warm up from",
                    ),
                ),
                (
                    "gmail_pause",
                    models.BooleanField(
                        default=True,
                        help_text="If more than 0.3 % of your mail at Gmail was reported as spam, the next issue pauses before anybody gets it. Somebody who may send can resume it with a reason. This needs the figures of Google’s Postmaster Tools.",
                        verbose_name="pause if Gmail reports spam",
                    ),
                ),
                (
                    "canary",
                    models.CharField(
                        choices=[
                            ("off", "Not used"),
                            ("watch", "Look, and never stop a send"),
                            ("stop", "Wait for the first canaries, and stop the rest if one is in spam or broken"),
                        ],
                        default="off",
                        help_text="Each issue is sent to your canary mailboxes before and after its recipients, and then looked for there.",
                        max_length=5,
                        verbose_name="canary mailboxes",
                    ),
                ),
                (
                    "canary_minutes",
                    models.PositiveSmallIntegerField(
                        default=15,
                        help_text="The longest wait until each first canary is found.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(720),
                        ],
                        verbose_name="wait for the canaries (minutes)",
                    ),
                ),
                (
                    "canary_silence",
                    models.CharField(
                        choices=[("go_on", "Go on, and say so"), ("pause", "Pause until somebody decides")],
                        default="go_on",
                        help_text="What happens if a canary did not arrive, or if its mailbox could not be read.",
                        max_length=5,
                        verbose_name="after that time",
                    ),
                ),
                (
                    "account",
                    models.CharField(
                        default="default",
                        help_text="The account that sends its issues.",
                        max_length=30,
                        verbose_name="provider account",
                    ),
                ),
                (
                    "second_account",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="It takes the rest of a send if the first account is away for long, or refuses to send for us. What the first may have taken stays with it.",
                        max_length=30,
                        verbose_name="second provider account",
                    ),
                ),
                (
                    "second_warm_up_from",
                    models.DateField(
                        blank=True,
                        help_text="A new domain of the second account starts with 50 people on this day.",
                        null=True,
                        verbose_name="warm up the second account from",
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[
                            ("always", "Always sent, such as a legal notice"),
                            ("high", "High: others leave room for it"),
                            ("normal", "Normal"),
                            ("low", "Low: it leaves room for all others"),
                        ],
                        default="normal",
                        help_text="It counts if the number of mails for one person in 7 days is limited.",
                        max_length=6,
                        verbose_name="priority",
                    ),
                ),
                (
                    "monthly_digest",
                    models.BooleanField(
                        default=True,
                        help_text="Once a month, for readers who chose it: the stories of the month in one mail.",
                        verbose_name="monthly digest",
                    ),
                ),
                (
                    "digest_schedule",
                    models.CharField(
                        default="0 9 1 * *",
                        help_text="When it goes out. Minute, hour, day, month, weekday.",
                        max_length=60,
                        verbose_name="digest schedule",
                    ),
                ),
                (
                    "consent_required",
                    models.BooleanField(
                        default=False,
                        help_text="No story without a recorded consent, even if it is not marked as about a person.",
                        verbose_name="consent required",
                    ),
                ),
                (
                    "charitable",
                    models.BooleanField(
                        default=True,
                        help_text="Turn this off if its issues also sell or promote something else, such as a shop. People covered only by the UK’s charitable soft opt-in do not get them then.",
                        verbose_name="only for our charitable purposes",
                    ),
                ),
                (
                    "archive",
                    models.CharField(
                        choices=[
                            ("off", "No archive"),
                            ("unlisted", "Only for people with the link; search engines are asked not to list it"),
                            ("public", "For everybody, with a feed"),
                        ],
                        default="off",
                        max_length=8,
                        verbose_name="archive",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("archived", models.BooleanField(default=False, editable=False, verbose_name="archived")),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "brand",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, to="newsletter.brand", verbose_name="brand"
                    ),
                ),
                (
                    "mailing_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        to="subscribers.mailinglist",
                        verbose_name="mailing list",
                    ),
                ),
                (
                    "segment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="subscribers.segment",
                        verbose_name="segment",
                    ),
                ),
                (
                    "topics",
                    models.ManyToManyField(
                        blank=True, help_text="None chosen: all.", to="subscribers.topic", verbose_name="topics"
                    ),
                ),
            ],
            options={
                "verbose_name": "publication",
                "verbose_name_plural": "publications",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "layout__in",
                                ["letter", "plain", "events_first", "digest", "announcement", "event_notice", "appeal"],
                            )
                        ),
                        name="publication_layout",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("send_at__in", ["slot", "local"])), name="publication_send_at"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("approval__in", ["approve", "auto"])), name="publication_approval"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("archive__in", ["off", "unlisted", "public"])), name="publication_archive"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("priority__in", ["always", "high", "normal", "low"])),
                        name="publication_priority",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("clicks__in", ["off", "counts"])), name="publication_clicks"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("interests__in", ["off", "first", "only"])), name="publication_interests"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("canary__in", ["off", "watch", "stop"])), name="publication_canary"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("canary_silence__in", ["go_on", "pause"])),
                        name="publication_canary_silence",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("account", ""), _negated=True), name="publication_has_account"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("second_account", models.F("account")), _negated=True),
                        name="publication_accounts_differ",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("archived", False), ("enabled", False), _connector="OR"),
                        name="publication_archived_is_off",
                    ),
                ],
            },
            bases=(wagtail.models.preview.PreviewableMixin, models.Model),
        ),
        migrations.AddField(
            model_name="mailtemplate",
            name="publication",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="newsletter.publication",
                verbose_name="sender",
            ),
        ),
        migrations.CreateModel(
            name="IssueTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                ("made_at", models.DateTimeField()),
                (
                    "layout",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("letter", "Letter: a greeting, a lead story, and what follows"),
                            ("plain", "Plain letter: as if a person wrote it, without cards or buttons"),
                            ("events_first", "Events first: the next event large, and stories after the events"),
                            ("digest", "Digest: what is in it, then many things in short"),
                            ("announcement", "Announcement: one piece of news under its own headline"),
                            ("event_notice", "Event notice: one day, large, and all about it"),
                            ("appeal", "Appeal: one request in the brand’s colour"),
                        ],
                        max_length=12,
                    ),
                ),
                ("headline", models.CharField(blank=True)),
                ("charitable", models.BooleanField(default=True)),
                ("body", newsletter.models.body_blocks.BodyField([], blank=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="newsletter.publication"
                    ),
                ),
            ],
            options={
                "verbose_name": "template",
                "verbose_name_plural": "templates",
                "ordering": ["name"],
                "abstract": False,
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="issue_template_has_a_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "layout__in",
                                [
                                    "",
                                    "letter",
                                    "plain",
                                    "events_first",
                                    "digest",
                                    "announcement",
                                    "event_notice",
                                    "appeal",
                                ],
                            )
                        ),
                        name="issue_template_layout",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="issue",
            name="publication",
            field=models.ForeignKey(
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="issues",
                to="newsletter.publication",
            ),
        ),
        migrations.AddField(
            model_name="correction",
            name="publication",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="newsletter.publication"
            ),
        ),
        migrations.CreateModel(
            name="Appeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "original_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(models.When(then=models.F("pk"), translation_of__isnull=True)),
                        output_field=models.BigIntegerField(),
                        unique=True,
                    ),
                ),
                ("slug", models.SlugField(unique=True, verbose_name="slug")),
                ("headline", models.CharField(max_length=200, verbose_name="headline")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("link", models.URLField(max_length=2000, verbose_name="link")),
                ("button", models.CharField(max_length=60, verbose_name="button")),
                (
                    "audience",
                    models.CharField(
                        choices=[
                            ("all", "Everybody"),
                            ("none", "People who do not give yet"),
                            ("donor", "Donors"),
                            ("monthly", "Monthly partners"),
                        ],
                        default="all",
                        max_length=8,
                        verbose_name="for",
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        help_text="Empty: publications in any language.",
                        max_length=12,
                        verbose_name="language",
                    ),
                ),
                ("first_day", models.DateField(blank=True, null=True, verbose_name="first day")),
                ("last_day", models.DateField(blank=True, null=True, verbose_name="last day")),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Of the appeals for their giving status, in their language if possible, people see the one with the highest number. An issue that is already made keeps its order; you can change it there.",
                        verbose_name="priority",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "translation_of",
                    models.ForeignKey(
                        blank=True,
                        help_text="Readers of its language get it in place of this one.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="translations",
                        to="newsletter.appeal",
                        to_field="original_key",
                        verbose_name="translation of",
                    ),
                ),
                (
                    "publications",
                    models.ManyToManyField(
                        blank=True,
                        help_text="None chosen: all.",
                        to="newsletter.publication",
                        verbose_name="publications",
                    ),
                ),
            ],
            options={
                "verbose_name": "appeal",
                "verbose_name_plural": "appeals",
                "ordering": ["-priority", "slug"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("translation_of", "language"),
                        name="appeal_one_translation_per_language",
                        violation_error_message="There is a translation in this language already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("translation_of__isnull", True),
                            models.Q(("translation_of", models.F("pk")), _negated=True),
                            _connector="OR",
                        ),
                        name="appeal_translates_another",
                        violation_error_message="It cannot be a translation of itself.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("translation_of__isnull", True), models.Q(("language", ""), _negated=True), _connector="OR"
                        ),
                        name="appeal_translation_has_language",
                        violation_error_message="Choose the language of the translation.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("audience__in", ["all", "none", "donor", "monthly"])),
                        name="appeal_audience",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_day__isnull", True),
                            ("last_day__isnull", True),
                            ("last_day__gte", models.F("first_day")),
                            _connector="OR",
                        ),
                        name="appeal_ends_after_it_begins",
                        violation_error_message="The last day is before the first day.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True)),
                ("made_at", models.DateTimeField()),
                ("body", newsletter.models.body_blocks.BodyField([])),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "saved block",
                "verbose_name_plural": "saved blocks",
                "ordering": ["name"],
                "abstract": False,
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="saved_block_has_a_name"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Send",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("preparing", "Preparing"),
                            ("ready", "Ready"),
                            ("submitting", "Submitting"),
                            ("paused", "Paused"),
                            ("submitted", "Submitted"),
                            ("needs_attention", "Needs attention"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="preparing",
                        max_length=16,
                    ),
                ),
                ("reason", newsletter.common.message_fields.MessageField(blank=True)),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("paused_by_staff", "Paused By Staff"),
                            ("sender_refused", "Sender Refused"),
                            ("gmail_spam_rate", "Gmail Spam Rate"),
                            ("canary", "Canary"),
                            ("account_away", "Account Away"),
                            ("account_refused", "Account Refused"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("provider", models.CharField(max_length=60)),
                ("candidates", models.PositiveIntegerField(default=0)),
                ("recipients", models.PositiveIntegerField(default=0)),
                ("excluded", models.JSONField(default=dict)),
                ("audience", models.JSONField(default=dict)),
                ("made_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("not_before", models.DateTimeField(null=True)),
                ("local_time", models.CharField(blank=True, default="", max_length=16)),
                ("hours", models.JSONField(default=list)),
                ("period", models.CharField(blank=True, default="", max_length=7)),
                ("people_per_minute", models.PositiveIntegerField(null=True)),
                ("next_call_at", models.FloatField(default=0)),
                ("checked_until", models.DateTimeField(null=True)),
                ("resumed_after_attempt", models.BigIntegerField(default=0)),
                ("newest_term_searched", models.BigIntegerField(default=0)),
                (
                    "canary_decision",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("watched", "Watched"),
                            ("passed", "Passed"),
                            ("timed_out", "Timed Out"),
                            ("not_sent", "Not Sent"),
                            ("no_mailbox", "No Mailbox"),
                            ("to_files", "To Files"),
                            ("by_staff", "By Staff"),
                        ],
                        default="",
                        max_length=10,
                    ),
                ),
                ("confirmed_recipients", models.PositiveIntegerField(null=True)),
                (
                    "unchecked_stories",
                    newsletter.common.message_fields.MessagesJSONField(
                        default=list,
                        help_text="[[title, reason], …]: stories that could not be checked before it began.",
                    ),
                ),
                (
                    "totals",
                    models.JSONField(
                        help_text="The receipt, once the rows of its recipients may be deleted.", null=True
                    ),
                ),
                ("purged_at", models.DateTimeField(null=True)),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sends", to="newsletter.issue"
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="newsletter.issuerevision"
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "cancelled"), _negated=True),
                        fields=("issue", "period"),
                        name="one_live_send_per_issue",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "preparing",
                                    "ready",
                                    "submitting",
                                    "paused",
                                    "submitted",
                                    "needs_attention",
                                    "cancelled",
                                ],
                            )
                        ),
                        name="send_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("people_per_minute", 0), _negated=True), name="slowed_send_goes_on"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "code__in",
                                [
                                    "",
                                    "paused_by_staff",
                                    "sender_refused",
                                    "gmail_spam_rate",
                                    "canary",
                                    "account_away",
                                    "account_refused",
                                ],
                            )
                        ),
                        name="send_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "canary_decision__in",
                                [
                                    "",
                                    "watched",
                                    "passed",
                                    "timed_out",
                                    "not_sent",
                                    "no_mailbox",
                                    "to_files",
                                    "by_staff",
                                ],
                            )
                        ),
                        name="send_canary_decision",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CanaryMailbox",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.EmailField(max_length=254, verbose_name="email address")),
                ("address_hash", models.BinaryField(max_length=32, unique=True)),
                ("host", models.CharField(max_length=253, verbose_name="IMAP server")),
                ("port", models.PositiveIntegerField(default=993, verbose_name="port")),
                ("user", models.CharField(max_length=254, verbose_name="user name")),
                ("sealed_password", models.TextField()),
                ("enabled", models.BooleanField(default=True, verbose_name="in use")),
                ("looked_at", models.DateTimeField(null=True)),
                ("reading_until", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("error", newsletter.common.message_fields.MessageField(blank=True, default="")),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "canary mailbox",
                "verbose_name_plural": "canary mailboxes",
                "ordering": ["address"],
                "default_permissions": ("change",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("port__gte", 1), ("port__lte", 65535)), name="canary_mailbox_port"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CanaryMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "turn",
                    models.CharField(choices=[("first", "Before the send"), ("last", "After the send")], max_length=5),
                ),
                ("key", models.CharField(max_length=40, unique=True, verbose_name="idempotency key")),
                ("label_facts", models.JSONField(default=list)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Being sent"),
                            ("accepted", "Accepted"),
                            ("failed", "Failed"),
                            ("uncertain", "Uncertain"),
                            ("skipped", "Skipped"),
                        ],
                        default="waiting",
                        max_length=9,
                    ),
                ),
                ("reason", newsletter.common.message_fields.MessageField(blank=True, default="")),
                ("made_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "result",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not found yet"),
                            ("good", "Arrived"),
                            ("spam", "In spam"),
                            ("broken", "Broken"),
                            ("missing", "Never arrived"),
                        ],
                        default="",
                        max_length=7,
                    ),
                ),
                (
                    "placement",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Nowhere yet"),
                            ("inbox", "Inbox"),
                            ("category", "Another folder or tab"),
                            ("spam", "Spam"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("folder", models.CharField(blank=True, default="", max_length=200)),
                ("arrived_at", models.DateTimeField(null=True)),
                ("copies", models.PositiveSmallIntegerField(default=0)),
                ("findings", newsletter.common.message_fields.MessagesJSONField(default=list)),
                ("measured_at", models.DateTimeField(null=True)),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="canary_mails", to="newsletter.send"
                    ),
                ),
                (
                    "mailbox",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="mails", to="newsletter.canarymailbox"
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["accepted", "uncertain"])),
                        fields=["sent_at"],
                        name="canary_mail_to_look_for",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("send", "mailbox", "turn"), name="canary_mail_once"),
                    models.CheckConstraint(
                        condition=models.Q(("turn__in", ["first", "last"])), name="canary_mail_turn"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "sending", "accepted", "failed", "uncertain", "skipped"])
                        ),
                        name="canary_mail_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("result__in", ["", "good", "spam", "broken", "missing"])),
                        name="canary_mail_result",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("placement__in", ["", "inbox", "category", "spam"])),
                        name="canary_mail_placement",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("arrived_at__isnull", True),
                                ("copies", 0),
                                ("placement", ""),
                                ("result__in", ["", "missing"]),
                            ),
                            models.Q(
                                ("arrived_at__isnull", False),
                                ("copies__gte", 1),
                                ("result__in", ["good", "spam", "broken"]),
                                models.Q(("placement", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="canary_mail_found_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("sent_at__isnull", False), ("state__in", ["accepted", "uncertain"])),
                            ("result", ""),
                            _connector="OR",
                        ),
                        name="canary_mail_result_of_a_mail_that_left",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Exclusion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=24)),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="subscribers.subscriber",
                    ),
                ),
                (
                    "send",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exclusions",
                        to="newsletter.send",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("subscriber", "send"), name="one_exclusion_per_person_and_send"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "reason__in",
                                [
                                    "unconfirmed",
                                    "implied_consent_ran_out",
                                    "resting",
                                    "paused",
                                    "outside",
                                    "over_budget",
                                    "not_charitable",
                                    "every_issue",
                                    "monthly",
                                    "events_only",
                                    "not_on_the_list",
                                    "suppressed:legal",
                                    "suppressed:erasure",
                                    "suppressed:complaint",
                                    "suppressed:unsubscribe",
                                    "suppressed:hard",
                                    "suppressed:soft_limit",
                                    "suppressed:staff",
                                    "no_event_near",
                                    "no_story_of_topics",
                                    "had_the_stories",
                                    "no_block_for_them",
                                    "no_story_in_their_region",
                                ],
                            )
                        ),
                        name="exclusion_reason",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Delivered",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.BigIntegerField()),
                ("account", models.CharField(default="default", max_length=30)),
                ("bits", models.BinaryField(max_length=1024)),
                ("people", models.PositiveIntegerField()),
                ("last_at", models.DateTimeField()),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="delivered", to="newsletter.send"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "delivered",
                "constraints": [models.UniqueConstraint(fields=("send", "part", "account"), name="delivered_once")],
            },
        ),
        migrations.AddField(
            model_name="batch",
            name="send",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="newsletter.send"
            ),
        ),
        migrations.CreateModel(
            name="AccountMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_account", models.CharField(max_length=30)),
                ("to_account", models.CharField(max_length=30)),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("away", "the first account was away"),
                            ("refused", "the first account refused to send for us"),
                            ("by_hand", "moved by hand"),
                        ],
                        max_length=7,
                    ),
                ),
                ("by", models.CharField(blank=True, default="", max_length=254)),
                ("reason", newsletter.common.message_fields.MessageField(blank=True)),
                ("batches", models.PositiveIntegerField()),
                ("people", models.PositiveIntegerField()),
                ("unfinished", models.BooleanField(default=False)),
                ("at", models.DateTimeField()),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="account_moves", to="newsletter.send"
                    ),
                ),
            ],
            options={
                "ordering": ["send", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__in", ["away", "refused", "by_hand"])), name="account_move_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("to_account", models.F("from_account")), _negated=True),
                        name="account_move_goes_elsewhere",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("code", "by_hand"), models.Q(("by", ""), _negated=True)),
                            models.Q(models.Q(("code", "by_hand"), _negated=True), ("by", "")),
                            _connector="OR",
                        ),
                        name="account_move_by_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AutomaticPause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("hard", "too many addresses that do not exist"),
                            ("complaints", "too many complaints"),
                            ("authentication", "the domain is not authenticated"),
                            ("sender", "mail servers refuse or delay mail of this sender"),
                            ("pace", "a mailbox provider refuses or delays mail also after the send was slowed"),
                            ("domain", "too many complaints at one mailbox domain"),
                            ("stale", "it was late"),
                            ("switched_off", "the publication was switched off"),
                            ("content", "what it shows changed between two of its hours"),
                            ("gmail", "too many people at Gmail report mail of this domain as spam"),
                            ("canary", "what its canaries found"),
                        ],
                        max_length=14,
                    ),
                ),
                ("cases", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_by", models.CharField(blank=True, default="", max_length=254)),
                ("lifted_reason", models.CharField(blank=True, default="", max_length=300)),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="automatic_pauses",
                        to="newsletter.send",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("send", "rule"), name="automatic_pause_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lifted_at__isnull", True), ("lifted_by", ""), ("lifted_reason", "")),
                            models.Q(
                                ("lifted_at__isnull", False),
                                models.Q(("lifted_by", ""), _negated=True),
                                models.Q(("lifted_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="automatic_pause_lifted_for_a_reason",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "rule__in",
                                [
                                    "hard",
                                    "complaints",
                                    "authentication",
                                    "sender",
                                    "pace",
                                    "domain",
                                    "stale",
                                    "switched_off",
                                    "content",
                                    "gmail",
                                    "canary",
                                ],
                            )
                        ),
                        name="automatic_pause_rule",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SendingDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("account", models.CharField(blank=True, default="", max_length=30)),
                ("people", models.PositiveIntegerField(default=0)),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="newsletter.publication"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("publication", "day", "account"), name="sending_day_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="SkippedStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.CharField(max_length=20, unique=True)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Slot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("issue", "Issue"), ("digest", "Digest")], default="issue", max_length=10
                    ),
                ),
                ("due_local", models.CharField(max_length=16)),
                ("period", models.CharField(blank=True, default="", max_length=7)),
                ("due_at", models.DateTimeField(db_index=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("due", "Due"),
                            ("assembled", "Assembled"),
                            ("skipped", "Skipped"),
                            ("missed", "Missed"),
                            ("uncertain", "May have been sent"),
                        ],
                        default="due",
                        max_length=10,
                    ),
                ),
                ("reason", newsletter.common.message_fields.MessageField(blank=True)),
                ("made_at", models.DateTimeField()),
                ("assembled_at", models.DateTimeField(blank=True, null=True)),
                ("checked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="slots", to="newsletter.publication"
                    ),
                ),
            ],
            options={
                "ordering": ["-due_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("publication", "kind", "due_local"), name="slot_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "digest")),
                        fields=("publication", "period"),
                        name="one_digest_a_month",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "issue"), ("period", "")),
                            models.Q(("kind", "digest"), models.Q(("period", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="slot_kind_and_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["due", "assembled", "skipped", "missed", "uncertain"])),
                        name="slot_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("checked_at__isnull", True), ("state", "uncertain"), _connector="OR"),
                        name="slot_checked_if_uncertain",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="issue",
            name="slot",
            field=models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="issue",
                to="newsletter.slot",
            ),
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        help_text="The name of an installed kind of source. A source of a missing kind is kept, and not read.",
                        max_length=20,
                        validators=[
                            django.core.validators.RegexValidator("^[a-z][a-z0-9_]*$", "Choose a kind of source.")
                        ],
                        verbose_name="kind",
                    ),
                ),
                ("url", models.URLField(max_length=2000, verbose_name="url")),
                (
                    "every_minutes",
                    models.PositiveIntegerField(
                        default=30, help_text="How often it is read, in minutes.", verbose_name="every minutes"
                    ),
                ),
                (
                    "region",
                    models.CharField(
                        blank=True,
                        help_text="ISO 3166-2, e.g. US-TX: where events without a location are.",
                        max_length=10,
                        verbose_name="region",
                    ),
                ),
                (
                    "floating_zone",
                    models.CharField(
                        blank=True,
                        help_text="The time zone of its times without one. Empty: staff are asked about each event.",
                        max_length=60,
                        validators=[newsletter.common.fields.time_zone.validate_time_zone],
                        verbose_name="floating zone",
                    ),
                ),
                ("language", models.CharField(blank=True, max_length=12, verbose_name="language")),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                (
                    "sealed_key",
                    models.TextField(
                        blank=True, editable=False, help_text="The key that its interface asks for, encrypted."
                    ),
                ),
                ("etag", models.CharField(blank=True, editable=False, max_length=500)),
                ("last_modified", models.CharField(blank=True, editable=False, max_length=100)),
                (
                    "last_event_count",
                    models.PositiveIntegerField(
                        editable=False, help_text="How many events it had when it was last read.", null=True
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, db_index=True, editable=False, null=True)),
                ("looked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("last_success_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("failures", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "failing_since",
                    models.DateTimeField(
                        editable=False, help_text="The first failure since the last success.", null=True
                    ),
                ),
                (
                    "failure_notified_at",
                    models.DateTimeField(
                        editable=False, help_text="When staff were notified by mail that it fails.", null=True
                    ),
                ),
                ("error", newsletter.common.message_fields.MessageField(blank=True, editable=False)),
                (
                    "topics",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Every story and event from this source gets these topics, in addition to its own.",
                        to="subscribers.topic",
                        verbose_name="topics",
                    ),
                ),
            ],
            options={
                "verbose_name": "source",
                "verbose_name_plural": "sources",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("kind", ""), _negated=True), name="source_kind"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("floating_zone__in", ["", "UTC"]),
                            models.Q(
                                ("floating_zone__contains", "/"),
                                models.Q(("floating_zone__startswith", "/"), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="source_floating_zone",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SetAsideEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        choices=[("entry", "Entry"), ("events_held", "Events Held")], default="entry", max_length=16
                    ),
                ),
                ("entry", newsletter.common.message_fields.MessageField()),
                ("reason", newsletter.common.message_fields.MessageField()),
                ("at", models.DateTimeField()),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="set_aside", to="newsletter.source"
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("code__in", ["entry", "events_held"])), name="set_aside_code"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="publication",
            name="sources",
            field=models.ManyToManyField(
                blank=True, help_text="None chosen: all.", to="newsletter.source", verbose_name="sources"
            ),
        ),
        migrations.CreateModel(
            name="LocationAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("words", models.CharField(max_length=300)),
                ("town", models.CharField(blank=True, max_length=120)),
                ("country", models.CharField(max_length=2)),
                ("region", models.CharField(blank=True, max_length=10)),
                (
                    "latitude",
                    models.FloatField(
                        validators=[
                            django.core.validators.MinValueValidator(-90),
                            django.core.validators.MaxValueValidator(90),
                        ]
                    ),
                ),
                (
                    "longitude",
                    models.FloatField(
                        validators=[
                            django.core.validators.MinValueValidator(-180),
                            django.core.validators.MaxValueValidator(180),
                        ]
                    ),
                ),
                ("zone", models.CharField(blank=True, max_length=60)),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="location_answers",
                        to="newsletter.source",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("source", "words"), name="location_answered_once")],
            },
        ),
        migrations.AddField(
            model_name="eventnotice",
            name="source",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="events",
                to="newsletter.source",
                verbose_name="source",
            ),
        ),
        migrations.CreateModel(
            name="RunningProcess",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=32, unique=True)),
                ("web", models.BooleanField(default=False)),
                ("scheduler", models.BooleanField(default=False)),
                ("worker", models.BooleanField(default=False)),
                ("version", models.CharField(max_length=40)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("jobs", models.JSONField(default=dict)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("web", True), ("scheduler", True), ("worker", True), _connector="OR"),
                        name="running_process_role",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SpamCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("score", models.FloatField(null=True)),
                ("threshold", models.FloatField(default=5.0)),
                ("rules", models.JSONField(default=list)),
                ("looked_at", models.DateTimeField()),
                (
                    "issue",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="spam_check", to="newsletter.issue"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StaffLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("invitation", "Invitation"), ("password", "New password")], max_length=12
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("repeat_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("repeats", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("used_at", models.DateTimeField(null=True)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "made_by",
                    models.ForeignKey(
                        help_text="The administrator who made it. Nobody: the person asked for it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff_links",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("repeat_at__isnull", False)), fields=["repeat_at"], name="staff_link_repeat"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("used_at__isnull", True), ("withdrawn_at__isnull", True)),
                        fields=("person",),
                        name="one_open_staff_link",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("used_at__isnull", True), ("withdrawn_at__isnull", True), _connector="OR"),
                        name="staff_link_used_or_withdrawn",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["invitation", "password"])), name="staff_link_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeat_at__isnull", True), ("sent_at__isnull", False), _connector="OR"),
                        name="staff_link_repeat_of_sent",
                    ),
                    models.CheckConstraint(condition=models.Q(("repeats__lte", 4)), name="staff_link_repeats_limited"),
                ],
            },
        ),
        migrations.CreateModel(
            name="StaffNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120)),
                ("subject", newsletter.common.message_fields.MessageField()),
                ("paragraphs", newsletter.common.message_fields.MessagesJSONField(default=list)),
                ("link", models.CharField(max_length=300)),
                ("made_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("repeat_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("repeats", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("read_at", models.DateTimeField(help_text="When the person opened it in the desk.", null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="newsletter.publication"
                    ),
                ),
            ],
            options={
                "ordering": ["made_at", "id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("repeat_at__isnull", False)),
                        fields=["repeat_at"],
                        name="staff_notice_repeat",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("key", "person"), name="staff_notice_once"),
                    models.CheckConstraint(
                        condition=models.Q(("repeat_at__isnull", True), ("sent_at__isnull", False), _connector="OR"),
                        name="staff_notice_repeat_of_sent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("repeats__lte", 4)), name="staff_notice_repeats_limited"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Story",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(blank=True, max_length=12, verbose_name="language")),
                (
                    "original_key",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Case(models.When(then=models.F("pk"), translation_of__isnull=True)),
                        output_field=models.BigIntegerField(),
                        unique=True,
                    ),
                ),
                (
                    "consent_needed",
                    models.BooleanField(
                        default=False,
                        help_text="Without a valid consent, the story is not put into any issue.",
                        verbose_name="this story is about a person, and needs their consent",
                    ),
                ),
                ("consent_channels", models.JSONField(blank=True, default=list, verbose_name="agreed to")),
                (
                    "consent_identity",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("full", "Full name"),
                            ("first_name", "First name only"),
                            ("pseudonym", "A pseudonym"),
                            ("anonymous", "Not named at all"),
                        ],
                        default="",
                        max_length=10,
                        verbose_name="the person is shown by",
                    ),
                ),
                (
                    "consent_given_by",
                    models.CharField(
                        blank=True,
                        choices=[("self", "The person"), ("guardian", "A parent or guardian")],
                        default="",
                        max_length=8,
                        verbose_name="agreed by",
                    ),
                ),
                ("consent_given_on", models.DateField(blank=True, null=True, verbose_name="agreed on")),
                (
                    "consent_expires_on",
                    models.DateField(
                        blank=True,
                        help_text="The last day on which the story may be shown.",
                        null=True,
                        verbose_name="agreed until",
                    ),
                ),
                ("consent_review_on", models.DateField(blank=True, null=True, verbose_name="ask again on")),
                (
                    "consent_form_holder",
                    models.CharField(blank=True, default="", max_length=200, verbose_name="who holds the signed form"),
                ),
                (
                    "about_minor",
                    models.BooleanField(
                        default=False,
                        help_text="Then a parent or guardian must have agreed, and the person’s name is not shown.",
                        verbose_name="the person is under 18",
                    ),
                ),
                (
                    "embargo_until",
                    models.DateTimeField(
                        blank=True,
                        help_text="The story is not shown anywhere before.",
                        null=True,
                        verbose_name="embargoed until",
                    ),
                ),
                ("not_in_regions", models.JSONField(blank=True, default=list, verbose_name="must not reach")),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True)),
                (
                    "withdrawn_reason",
                    newsletter.common.message_fields.MessageField(blank=True, default="", editable=False),
                ),
                ("gone_at", models.DateTimeField(editable=False, null=True)),
                (
                    "gone_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("removed", "Removed at its source"),
                            ("private", "Not public at its source"),
                            ("protected", "Protected by a password at its source"),
                        ],
                        default="",
                        editable=False,
                        max_length=9,
                    ),
                ),
                ("checked_at", models.DateTimeField(editable=False, null=True)),
                ("check_failed", newsletter.common.message_fields.MessageField(blank=True, default="", editable=False)),
                ("page_etag", models.CharField(blank=True, default="", editable=False, max_length=500)),
                ("page_modified", models.CharField(blank=True, default="", editable=False, max_length=100)),
                ("external_id", models.CharField(max_length=500, verbose_name="external id")),
                ("url", models.URLField(blank=True, max_length=2000, verbose_name="url")),
                ("title", models.CharField(max_length=300, verbose_name="title")),
                ("teaser", models.TextField(blank=True, verbose_name="teaser")),
                ("text", models.TextField(blank=True, default="", max_length=20000, verbose_name="text")),
                ("body_html", models.TextField(blank=True, editable=False)),
                (
                    "media",
                    models.CharField(
                        blank=True,
                        choices=[("video", "video"), ("audio", "audio")],
                        default="",
                        editable=False,
                        max_length=5,
                    ),
                ),
                ("seconds", models.PositiveIntegerField(default=0, editable=False)),
                ("author", models.CharField(blank=True, max_length=200, verbose_name="author")),
                ("picture_alt", models.CharField(blank=True, max_length=300, verbose_name="what the image shows")),
                (
                    "related",
                    models.JSONField(
                        blank=True,
                        default=list,
                        editable=False,
                        help_text="[[title, url], …] as the source names them.",
                    ),
                ),
                (
                    "pseudonyms",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="[[name, note], …]: the note goes wherever the name does.",
                        verbose_name="pseudonyms",
                    ),
                ),
                ("published_at", models.DateTimeField(blank=True, null=True, verbose_name="published at")),
                ("seen_at", models.DateTimeField(editable=False)),
                ("source_sha256", models.CharField(blank=True, editable=False, max_length=64)),
                ("edited_fields", models.JSONField(default=list, editable=False)),
                ("picture_waiting", models.BooleanField(default=False, editable=False)),
                ("picture_page_etag", models.CharField(blank=True, default="", editable=False, max_length=500)),
                ("picture_page_modified", models.CharField(blank=True, default="", editable=False, max_length=100)),
                (
                    "case",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stories",
                        to="subscribers.case",
                        verbose_name="case",
                    ),
                ),
                (
                    "library_image",
                    models.ForeignKey(
                        blank=True,
                        help_text="Used instead of the image of its source. Mails crop it around its focal point.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="wagtailimages.image",
                        verbose_name="image",
                    ),
                ),
                (
                    "picture",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="newsletter.picture",
                    ),
                ),
                (
                    "same_as",
                    models.ForeignKey(
                        editable=False,
                        help_text="The story to use, if two rows are the same story.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="twins",
                        to="newsletter.story",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="stories",
                        to="newsletter.source",
                        verbose_name="source",
                    ),
                ),
                ("topics", models.ManyToManyField(blank=True, to="subscribers.topic", verbose_name="topics")),
                (
                    "translation_of",
                    models.ForeignKey(
                        blank=True,
                        help_text="Readers of its language get it in place of this one.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="translations",
                        to="newsletter.story",
                        to_field="original_key",
                        verbose_name="translation of",
                    ),
                ),
            ],
            options={
                "verbose_name": "story",
                "verbose_name_plural": "stories",
                "ordering": ["-published_at", "-seen_at"],
                "constraints": [
                    models.UniqueConstraint(fields=("source", "external_id"), name="story_once_per_source"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("url", ""), models.Q(("text", ""), _negated=True)),
                            models.Q(models.Q(("url", ""), _negated=True), ("text", "")),
                            _connector="OR",
                        ),
                        name="story_has_page_or_text",
                    ),
                    models.UniqueConstraint(
                        fields=("translation_of", "language"),
                        name="story_one_translation_per_language",
                        violation_error_message="There is a translation in this language already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("translation_of__isnull", True),
                            models.Q(("translation_of", models.F("pk")), _negated=True),
                            _connector="OR",
                        ),
                        name="story_translates_another",
                        violation_error_message="It cannot be a translation of itself.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("translation_of__isnull", True), models.Q(("language", ""), _negated=True), _connector="OR"
                        ),
                        name="story_translation_has_language",
                        violation_error_message="Choose the language of the translation.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("consent_identity__in", ["", "full", "first_name", "pseudonym", "anonymous"])
                        ),
                        name="story_consent_identity",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("consent_given_by__in", ["", "self", "guardian"])),
                        name="story_consent_given_by",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("gone_code__in", ["", "removed", "private", "protected"])),
                        name="story_gone_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("gone_at__isnull", True), ("gone_code", "")),
                            models.Q(("gone_at__isnull", False), models.Q(("gone_code", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="story_gone_has_code",
                    ),
                ],
            },
            bases=(wagtail.models.preview.PreviewableMixin, modelsearch.index.Indexed, models.Model),
        ),
        migrations.CreateModel(
            name="StoryAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64, unique=True)),
                ("address", models.CharField(max_length=2000)),
                (
                    "story",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="addresses", to="newsletter.story"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "story addresses",
            },
        ),
        migrations.CreateModel(
            name="StoryImage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file", models.CharField(max_length=100)),
                (
                    "image",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="of_story", to="wagtailimages.image"
                    ),
                ),
                (
                    "picture",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="library_images",
                        to="newsletter.picture",
                    ),
                ),
                (
                    "story",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="images",
                        to="newsletter.story",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("story", "picture"), name="story_image_once")],
            },
        ),
        migrations.CreateModel(
            name="StoryOrigin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("external_id", models.CharField(max_length=500)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="origins", to="newsletter.source"
                    ),
                ),
                (
                    "story",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="origins", to="newsletter.story"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("source", "external_id"), name="story_origin_once")],
            },
        ),
        migrations.CreateModel(
            name="StoryPlacement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("issue", "issue"),
                            ("digest", "monthly digest"),
                            ("correction", "correction"),
                            ("welcome", "welcome mail"),
                        ],
                        default="issue",
                        max_length=10,
                    ),
                ),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="placements", to="newsletter.issue"
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="newsletter.publication"),
                ),
                (
                    "story",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="placements", to="newsletter.story"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("publication", "kind", "story"), name="story_once_per_publication"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["issue", "digest"])), name="story_placement_kind"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StoryRefusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="newsletter.publication",
                    ),
                ),
                (
                    "story",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="refusals", to="newsletter.story"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("story", "publication"), name="story_refused_once_per_publication"),
                    models.UniqueConstraint(
                        condition=models.Q(("publication__isnull", True)),
                        fields=("story",),
                        name="story_refused_once_for_all",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SubjectTest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subjects", models.JSONField()),
                ("number_of_subjects", models.PositiveSmallIntegerField()),
                ("share_percent", models.PositiveSmallIntegerField()),
                ("wait_hours", models.PositiveSmallIntegerField()),
                ("seed", models.BigIntegerField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("winner", models.PositiveSmallIntegerField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Not decided"),
                            ("better", "One subject did better"),
                            ("some_worse", "Some subjects did worse"),
                            ("no_difference", "No difference"),
                            ("by_staff", "Chosen by staff"),
                            ("too_few", "Too few people for a result"),
                        ],
                        default="",
                        max_length=14,
                    ),
                ),
                (
                    "measure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("clicks", "Clicks"),
                            ("replies", "Replies"),
                            ("leaving", "Unsubscribes and complaints"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                ("results", models.JSONField(default=list)),
                (
                    "issue",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="subject_test", to="newsletter.issue"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "number_of_subjects",
                                django.db.models.expressions.CombinedExpression(
                                    newsletter.models.special_issues.subject_tests.ArrayLength("subjects"),
                                    "+",
                                    models.Value(1),
                                ),
                            )
                        ),
                        name="subject_test_counts_its_subjects",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number_of_subjects__gte", 2), ("number_of_subjects__lte", 4)),
                        name="subject_test_of_2_to_4",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("share_percent__gte", 5), ("share_percent__lte", 50)),
                        name="subject_test_share_5_to_50",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("wait_hours__gte", 1), ("wait_hours__lte", 48)),
                        name="subject_test_waits_1_to_48_hours",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome__in", ["", "better", "some_worse", "no_difference", "by_staff", "too_few"])
                        ),
                        name="subject_test_outcome",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("measure__in", ["", "clicks", "replies", "leaving"])),
                        name="subject_test_measure",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True), ("measure", ""), ("outcome", ""), ("winner__isnull", True)
                            ),
                            models.Q(
                                ("decided_at__isnull", False),
                                ("winner__gte", 1),
                                ("winner__lte", models.F("number_of_subjects")),
                                models.Q(("outcome", ""), _negated=True),
                                models.Q(("measure", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="subject_test_decided_as_a_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("outcome__in", ["no_difference", "too_few"]), _negated=True),
                            ("winner", 1),
                            _connector="OR",
                        ),
                        name="subject_test_without_a_winner_sends_the_first",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("template_sha256", models.CharField(max_length=64)),
                ("idempotency_key", models.CharField(max_length=255)),
                ("request_hash", models.CharField(max_length=64)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("address_hash", models.BinaryField(max_length=32)),
                ("language", models.CharField(max_length=16)),
                ("values", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Being sent"),
                            ("accepted", "Accepted"),
                            ("failed", "Failed"),
                            ("uncertain", "Uncertain"),
                        ],
                        default="waiting",
                        max_length=9,
                    ),
                ),
                ("reason", newsletter.common.message_fields.MessageField(blank=True, default="")),
                ("asked_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "api_key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="newsletter.apikey",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="mails", to="newsletter.mailtemplate"
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["state", "id"], name="template_mail_by_state"),
                    models.Index(fields=["address_hash", "asked_at"], name="template_mail_to"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("api_key", "idempotency_key"), name="template_mail_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "sending", "accepted", "failed", "uncertain"])),
                        name="template_mail_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ["waiting", "sending"]), models.Q(("email", ""), _negated=True)),
                            models.Q(("state__in", ["accepted", "failed", "uncertain"]), ("email", "")),
                            _connector="OR",
                        ),
                        name="template_mail_forgets_address",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TextTranslation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("language", models.CharField(max_length=12)),
                ("source_sha256", models.CharField(max_length=64)),
                ("source", models.TextField()),
                ("text", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="text_translations",
                        to="newsletter.publication",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("publication", "language", "source_sha256"), name="text_translated_once_per_language"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("text", ""), _negated=True), name="text_translation_is_not_empty"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Variant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=16)),
                ("public_id", models.CharField(max_length=32, unique=True)),
                ("label_facts", models.JSONField(default=list)),
                ("language", models.CharField(max_length=12)),
                ("subject", models.TextField()),
                ("preheader", models.TextField(blank=True)),
                ("html", models.TextField()),
                ("text", models.TextField()),
                ("variables", models.JSONField(default=list)),
                ("findings", newsletter.common.message_fields.MessagesJSONField(default=list)),
                ("sha256", models.CharField(max_length=64)),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="variants", to="newsletter.issue"
                    ),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variants",
                        to="newsletter.issuerevision",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("issue", "revision", "key"), name="variant_once")],
            },
        ),
        migrations.CreateModel(
            name="ShownItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("story", "Story"), ("event", "Event")], max_length=5)),
                ("row_id", models.BigIntegerField()),
                ("only_linked", models.BooleanField(default=False)),
                (
                    "variant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="shown_items", to="newsletter.variant"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "row_id", "variant"), name="shown_item_once"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["story", "event"])), name="shown_item_kind"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReaderGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place_id", models.BigIntegerField()),
                ("giving", models.CharField(max_length=8)),
                ("radius_km", models.PositiveIntegerField(default=0)),
                ("frequency", models.CharField(default="every", max_length=8)),
                ("interests", models.BigIntegerField(default=-1)),
                ("seen", models.BigIntegerField(default=0)),
                ("rules", models.BigIntegerField(default=0)),
                ("language", models.CharField(default="", max_length=12)),
                ("arm", models.SmallIntegerField(default=0)),
                ("fallback", models.PositiveSmallIntegerField(default=0)),
                ("empty_reason", models.CharField(blank=True, default="", max_length=24)),
                ("people", models.PositiveIntegerField(default=0, help_text="When the variants were last made.")),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="groups",
                        to="newsletter.issuerevision",
                    ),
                ),
                (
                    "variant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="groups",
                        to="newsletter.variant",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("empty_reason", ""), ("variant__isnull", False)),
                            models.Q(("variant__isnull", True), models.Q(("empty_reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="reader_group_without_a_mail_has_a_reason",
                    ),
                    models.UniqueConstraint(
                        fields=(
                            "revision",
                            "interests",
                            "seen",
                            "place_id",
                            "rules",
                            "arm",
                            "radius_km",
                            "language",
                            "giving",
                            "frequency",
                        ),
                        name="reader_group_once",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="batch",
            name="variant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="newsletter.variant"
            ),
        ),
        migrations.CreateModel(
            name="WelcomeStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.PositiveSmallIntegerField()),
                ("subscriber_id", models.BigIntegerField(db_index=True, null=True)),
                ("address_hash", models.BinaryField(max_length=16)),
                ("joined_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Being sent"),
                            ("accepted", "Accepted by the provider"),
                            ("not_sent", "Not sent"),
                            ("uncertain", "Uncertain"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "None"),
                            ("unsubscribed", "unsubscribed or may no longer be mailed"),
                            ("paused", "paused their mail"),
                            ("moved", "changed their address"),
                            ("too_late", "it was more than 14 days late"),
                            ("turned_off", "staff turned it off"),
                            ("rejected", "the provider refused the mail"),
                            ("empty", "it had nothing for them: no block, or no story that they did not have"),
                            ("earlier_step", "the mail before it did not reach them"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "issue",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="welcome_steps", to="newsletter.issue"
                    ),
                ),
                (
                    "mailing_list",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="subscribers.mailinglist"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["issue", "state", "joined_at"], name="welcome_step_due")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("mailing_list", "step", "address_hash"), name="one_welcome_step_per_list_and_address"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "sending", "accepted", "not_sent", "uncertain"])),
                        name="welcome_step_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "code__in",
                                [
                                    "",
                                    "unsubscribed",
                                    "paused",
                                    "moved",
                                    "too_late",
                                    "turned_off",
                                    "rejected",
                                    "empty",
                                    "earlier_step",
                                ],
                            )
                        ),
                        name="welcome_step_code",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "not_sent"), models.Q(("code", ""), _negated=True)),
                            models.Q(models.Q(("state", "not_sent"), _negated=True), ("code", "")),
                            _connector="OR",
                        ),
                        name="welcome_step_not_sent_for_a_reason",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                condition=models.Q(("proof", False)),
                fields=("issue", "address_hash"),
                name="one_delivery_per_issue_and_address",
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.UniqueConstraint(
                fields=("publication", "event", "sequence"), name="correction_sequence_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.UniqueConstraint(fields=("corrects", "sequence"), name="correction_of_mistake_once"),
        ),
        migrations.AddConstraint(
            model_name="correction",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("change_type", "mistake"),
                        ("corrects__isnull", False),
                        ("event__isnull", True),
                        ("fingerprint", ""),
                    ),
                    models.Q(
                        models.Q(("change_type", "mistake"), _negated=True),
                        models.Q(("fingerprint", ""), _negated=True),
                        ("corrects__isnull", True),
                        ("event__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="correction_of_event_or_issue",
            ),
        ),
        migrations.AddConstraint(
            model_name="issue",
            constraint=models.UniqueConstraint(fields=("publication", "kind", "number"), name="issue_number_once"),
        ),
        migrations.AddConstraint(
            model_name="issue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "issue"),
                    models.Q(("kind", "digest"), ("slot__isnull", False)),
                    models.Q(("kind__in", ["correction", "welcome"]), ("slot__isnull", True)),
                    _connector="OR",
                ),
                name="issue_kind_and_slot",
            ),
        ),
        migrations.AddConstraint(
            model_name="issue",
            constraint=models.CheckConstraint(
                condition=models.Q(("slot__isnull", True), ("due_at__isnull", False), _connector="OR"),
                name="issue_of_a_slot_is_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="issue",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("completes__isnull", True), models.Q(("kind", "issue"), ("slot__isnull", True)), _connector="OR"
                ),
                name="issue_that_completes_is_on_demand",
            ),
        ),
        migrations.AddConstraint(
            model_name="issue",
            constraint=models.CheckConstraint(
                condition=models.Q(("slot__isnull", True), ("segment__isnull", True), _connector="OR"),
                name="issue_of_a_slot_has_no_segment",
            ),
        ),
        migrations.AddConstraint(
            model_name="eventnotice",
            constraint=models.UniqueConstraint(fields=("source", "external_id"), name="event_once_per_source"),
        ),
        migrations.AddConstraint(
            model_name="eventnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("zone_basis__in", ["", "floating", "place", "unknown"])), name="event_zone_basis"
            ),
        ),
        migrations.AddConstraint(
            model_name="eventnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("note_without_zone", ""), ("zone_basis__in", ["floating", "place"]), _connector="OR"
                ),
                name="event_note_without_zone",
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["send", "state"], name="batch_by_state"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.UniqueConstraint(fields=("send", "seq"), name="batch_seq_once"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.UniqueConstraint(fields=("send", "variant", "part"), name="batch_part_once"),
        ),
        migrations.CreateModel(
            name="DmarcRefusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("not_a_report", "No report, or damaged"),
                            ("too_large", "Too large"),
                            ("unsafe_xml", "Definitions in the XML, which attacks use"),
                            ("missing_field", "Not complete"),
                            ("bad_value", "An impossible number, address or domain"),
                            ("other_domain", "About a domain that is not yours"),
                            ("bad_range", "About the future, or about more than a month"),
                            ("too_old", "Too old"),
                            ("known", "Came before"),
                            ("too_many", "Too many in one day"),
                        ],
                        max_length=16,
                    ),
                ),
                ("reports", models.PositiveIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("day", "code"), name="dmarc_refusal_once_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "code__in",
                                [
                                    "not_a_report",
                                    "too_large",
                                    "unsafe_xml",
                                    "missing_field",
                                    "bad_value",
                                    "other_domain",
                                    "bad_range",
                                    "too_old",
                                    "known",
                                    "too_many",
                                ],
                            )
                        ),
                        name="dmarc_refusal_code",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DmarcReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reporter", models.CharField(max_length=100)),
                ("report_id", models.CharField(max_length=255)),
                ("domain", models.CharField(max_length=253)),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("received_at", models.DateTimeField()),
                ("origin", models.CharField(max_length=20)),
            ],
            options={
                "default_permissions": ("view", "add"),
                "indexes": [
                    models.Index(fields=["ends_at"], name="dmarc_report_by_end"),
                    models.Index(fields=["received_at"], name="dmarc_report_by_arrival"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("reporter", "report_id", "domain"), name="dmarc_report_once"),
                    models.CheckConstraint(
                        condition=models.Q(("begins_at__lte", models.F("ends_at"))), name="dmarc_report_range"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DmarcReportRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.GenericIPAddressField()),
                ("header_from", models.CharField(max_length=253)),
                ("disposition", models.CharField(max_length=10)),
                ("dkim_aligned", models.BooleanField()),
                ("spf_aligned", models.BooleanField()),
                ("signed_by", models.CharField(blank=True, max_length=253)),
                ("return_path", models.CharField(blank=True, max_length=253)),
                ("broken_signature", models.BooleanField(default=False)),
                ("reason", models.CharField(blank=True, max_length=20)),
                ("mails", models.BigIntegerField()),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="newsletter.dmarcreport"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mails__gte", 1), ("mails__lte", 1000000000)), name="dmarc_row_mails"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("disposition__in", ["none", "quarantine", "reject"])),
                        name="dmarc_row_disposition",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MailboxReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", models.CharField(max_length=300, unique=True)),
                ("uid_validity", models.BigIntegerField(default=0)),
                ("last_uid", models.BigIntegerField(default=0)),
                ("read_at", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("error", newsletter.common.message_fields.MessageField(blank=True, default="")),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="InboundMail",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("origin", models.CharField(max_length=20)),
                ("once", models.CharField(max_length=64, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Not read yet"),
                            ("to_send_on", "To be forwarded"),
                            ("held", "Held: too many"),
                            ("not_sent_on", "Could not be forwarded"),
                            ("unreadable", "Unreadable"),
                            ("done", "Done"),
                        ],
                        default="waiting",
                        max_length=12,
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "Unknown"),
                            ("unsubscribe", "Unsubscribe"),
                            ("reply", "Reply"),
                            ("automatic", "Automatic reply"),
                            ("bounce", "Bounce"),
                            ("complaint", "Complaint"),
                            ("dmarc", "DMARC report"),
                        ],
                        default="",
                        max_length=12,
                    ),
                ),
                ("received_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                ("raw", models.BinaryField(null=True)),
                ("cut", models.BooleanField(default=False)),
                ("sender_hash", models.BinaryField(max_length=32, null=True)),
                ("sender", models.CharField(blank=True, max_length=254)),
                ("sender_name", models.CharField(blank=True, max_length=120)),
                ("subject", models.CharField(blank=True, max_length=200)),
                ("text", models.TextField(blank=True)),
                ("attachments", models.JSONField(default=list)),
                (
                    "issue",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="newsletter.issue"
                    ),
                ),
                (
                    "publication",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="newsletter.publication",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "done"), _negated=True), fields=["id"], name="inbound_mail_open"
                    ),
                    models.Index(fields=["sender_hash", "received_at"], name="inbound_mail_of_sender"),
                    models.Index(fields=["received_at"], name="inbound_mail_by_time"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("once__isnull", False)),
                        fields=("origin", "once"),
                        name="inbound_token_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "to_send_on", "held", "not_sent_on", "unreadable", "done"])
                        ),
                        name="inbound_mail_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["", "unsubscribe", "reply", "automatic", "bounce", "complaint", "dmarc"])
                        ),
                        name="inbound_mail_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(
                                ("raw__isnull", True),
                                ("sender", ""),
                                ("sender_name", ""),
                                ("subject", ""),
                                ("text", ""),
                            ),
                            _connector="OR",
                        ),
                        name="inbound_mail_forgets",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["waiting", "unreadable"]), ("raw__isnull", True), _connector="OR"
                        ),
                        name="inbound_mail_raw_until_read",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InboundForward",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("email", models.CharField(max_length=254)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("refusal", newsletter.common.message_fields.MessageField(blank=True, default="")),
                (
                    "mail",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="forwards",
                        to="newsletter.inboundmail",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("refusal", ""), ("sent_at__isnull", True)),
                        fields=["id"],
                        name="inbound_forward_due",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("mail", "email"), name="inbound_forward_once")],
            },
        ),
        migrations.CreateModel(
            name="CountComparison",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("account", models.CharField(default="default", max_length=30)),
                ("day", models.DateField()),
                ("compared_at", models.DateTimeField()),
                ("retry_at", models.DateTimeField(null=True)),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("equal", "Equal"),
                            ("more_at_provider", "More at the provider"),
                            ("fewer_at_provider", "Fewer at the provider"),
                            ("not_counted_yet", "Too early"),
                            ("unavailable", "Not compared"),
                        ],
                        max_length=17,
                    ),
                ),
                ("figure", models.CharField(blank=True, default="", max_length=10)),
                ("failure", models.CharField(blank=True, default="", max_length=14)),
                ("accepted", models.PositiveIntegerField(default=0)),
                ("uncertain", models.PositiveIntegerField(default=0)),
                ("delivered", models.PositiveIntegerField(default=0)),
                ("bounced", models.PositiveIntegerField(default=0)),
                ("complained", models.PositiveIntegerField(default=0)),
                ("provider_accepted", models.PositiveIntegerField(null=True)),
                ("provider_delivered", models.PositiveIntegerField(null=True)),
                ("provider_bounced", models.PositiveIntegerField(null=True)),
                ("provider_complained", models.PositiveIntegerField(null=True)),
                ("deliveries", models.JSONField(default=list)),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="count_comparisons",
                        to="newsletter.send",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("send", "account", "day"), name="count_comparison_once_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "result__in",
                                ["equal", "more_at_provider", "fewer_at_provider", "not_counted_yet", "unavailable"],
                            )
                        ),
                        name="count_comparison_result",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("figure__in", ["", "accepted", "delivered", "bounced", "complained"])),
                        name="count_comparison_figure",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "failure__in",
                                [
                                    "",
                                    "no_answer",
                                    "key_refused",
                                    "throttled",
                                    "provider_error",
                                    "unreadable",
                                    "unknown_issue",
                                    "bad_receipt",
                                ],
                            )
                        ),
                        name="count_comparison_failure",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("figure", ""),
                                ("provider_accepted__isnull", True),
                                ("result", "unavailable"),
                                models.Q(("failure", ""), _negated=True),
                            ),
                            models.Q(("failure", ""), ("figure", ""), ("result", "equal")),
                            models.Q(
                                ("failure", ""),
                                ("result__in", ["more_at_provider", "fewer_at_provider"]),
                                models.Q(("figure", ""), _negated=True),
                            ),
                            ("result", "not_counted_yet"),
                            _connector="OR",
                        ),
                        name="count_comparison_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PostmasterFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("domain", models.CharField(max_length=255)),
                ("day", models.DateField()),
                ("figure", models.CharField(choices=[("spam_rate", "Reported as spam")], max_length=9)),
                ("value", models.FloatField(help_text="A share from 0 to 1.")),
                ("fetched_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("domain", "day", "figure"), name="postmaster_figure_once_a_day"),
                    models.CheckConstraint(
                        condition=models.Q(("figure__in", ["spam_rate"])), name="postmaster_figure_figure"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("value__gte", 0), ("value__lte", 1)), name="postmaster_figure_is_a_share"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PostmasterReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sender", models.CharField(max_length=255)),
                ("signing", models.CharField(max_length=255)),
                ("domain", models.CharField(blank=True, default="", max_length=255)),
                ("asked_at", models.DateTimeField()),
                ("retry_at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("key_file", "The key file cannot be used"),
                            ("key_refused", "Google refuses the key"),
                            ("person_refused", "The key may not ask in this person’s name"),
                            ("scope_missing", "The key lacks a permission"),
                            ("api_off", "The API is turned off"),
                            ("clock", "Our clock is wrong"),
                            ("not_verified", "The domain is not verified there"),
                            ("quota", "Too many requests"),
                            ("no_answer", "No answer"),
                            ("server_error", "Google has an error"),
                            ("unreadable", "The answer cannot be read"),
                        ],
                        default="",
                        max_length=14,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("sender", "signing"), name="postmaster_reading_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "failure__in",
                                [
                                    "",
                                    "key_file",
                                    "key_refused",
                                    "person_refused",
                                    "scope_missing",
                                    "api_off",
                                    "clock",
                                    "not_verified",
                                    "quota",
                                    "no_answer",
                                    "server_error",
                                    "unreadable",
                                ],
                            )
                        ),
                        name="postmaster_reading_failure",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("failure", ""), _negated=True),
                            models.Q(models.Q(("domain", ""), _negated=True), ("read_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="postmaster_reading_of_a_domain",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PostmasterRequirement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("domain", models.CharField(max_length=255)),
                ("name", models.CharField(max_length=60)),
                ("is_met", models.BooleanField()),
                ("fetched_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("domain", "name"), name="postmaster_requirement_once")],
            },
        ),
        migrations.CreateModel(
            name="PaceStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("slowed", "Slowed"),
                            ("raised", "Faster again"),
                            ("ended", "At full pace again"),
                            ("paused", "Paused"),
                        ],
                        max_length=6,
                    ),
                ),
                ("mailbox", models.CharField(blank=True, default="", max_length=255)),
                ("status", models.CharField(blank=True, default="", max_length=12)),
                ("reports", models.PositiveIntegerField(default=0)),
                ("mails", models.PositiveIntegerField(default=0)),
                ("people_per_minute", models.PositiveIntegerField(null=True)),
                ("at", models.DateTimeField()),
                (
                    "send",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pace_steps", to="newsletter.send"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("send", "number"), name="pace_step_once"),
                    models.CheckConstraint(
                        condition=models.Q(("code__in", ["slowed", "raised", "ended", "paused"])), name="pace_step_code"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("code__in", ["slowed", "paused"]),
                                ("people_per_minute__isnull", False),
                                ("reports__gte", 1),
                                models.Q(("mailbox", ""), _negated=True),
                                models.Q(("status", ""), _negated=True),
                            ),
                            models.Q(
                                ("code", "raised"),
                                ("mailbox", ""),
                                ("people_per_minute__isnull", False),
                                ("reports", 0),
                                ("status", ""),
                            ),
                            models.Q(
                                ("code", "ended"),
                                ("mailbox", ""),
                                ("people_per_minute__isnull", True),
                                ("reports", 0),
                                ("status", ""),
                            ),
                            _connector="OR",
                        ),
                        name="pace_step_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("people_per_minute", 0), _negated=True), name="pace_step_is_not_0"
                    ),
                ],
            },
        ),
    ]
