"""Personal fields: the closed language of staff, tokens, and each person's values."""

import pytest

from newsletter.rendering.blocks import LeadStory, Note, StoryCards
from newsletter.rendering.errors import MergeError, MissingValueError, TokenLostError
from newsletter.rendering.mail import split
from newsletter.rendering.personal_values import plan_values, values_for
from newsletter.rendering.pipeline import render
from newsletter.rendering.tokens import TokenRegistry, Variable, assert_tokens_kept, count_tokens
from tests.support.mail_documents import document, rich_document, story, visible_text

LINKS = {"unsubscribe": "https://news.example/u/1?a=1&b=2", "preferences": "https://news.example/p/1"}


def note(text: str) -> Note:
    return Note(body_html=f"<p>{text}</p>", body_text=text, key="intro")


def read_as(mail, **fields: str) -> tuple[str, str, str]:
    values = values_for(variables=mail.variables, fields=LINKS | fields)
    return tuple(split(part).join(values) for part in (mail.subject, mail.html, mail.text))


def test_a_reader_is_greeted_by_name_in_subject_html_and_text():
    subject, html, text = read_as(render(rich_document()), first_name="Amina")
    assert subject == "Wages paid, Amina"
    assert "Dear Amina," in html
    assert "Dear Amina," in text
    assert "__pv_" not in subject + html + text


@pytest.mark.parametrize("blank", ["", "   ", "\n", "\u2028"])
@pytest.mark.requirement("T3")
@pytest.mark.requirement("F16")
def test_a_blank_field_is_its_default_never_a_hole(blank: str):
    """No reader's data can make a hole in the middle of a send."""
    subject, html, text = read_as(render(rich_document()), first_name=blank)
    assert subject == "Wages paid, friend"
    assert "Dear friend," in html
    assert "Dear friend," in text


def test_a_name_full_of_markup_is_read_as_text_and_cannot_break_lines():
    name = '<b>{{ x }}</b> "&\r\nBcc: all@x.example'
    subject, html, text = read_as(render(rich_document()), first_name=name)
    assert subject == 'Wages paid, <b>{{ x }}</b> "&  Bcc: all@x.example'
    assert "<b>{{ x }}" not in html
    assert 'Dear <b>{{ x }}</b> "& Bcc: all@x.example,' in visible_text(html)
    assert 'Dear <b>{{ x }}</b> "&  Bcc: all@x.example,' in text


def test_links_are_whole_values_of_href_and_escaped_only_in_html():
    _, html, text = read_as(render(rich_document()))
    assert 'href="https://news.example/u/1?a=1&amp;b=2"' in html
    assert "\nhttps://news.example/u/1?a=1&b=2\n" in text


def test_a_mail_without_a_link_to_leave_is_not_made():
    mail = render(rich_document())
    with pytest.raises(MissingValueError, match="unsubscribe"):
        values_for(variables=mail.variables, fields={"preferences": "https://news.example/p/1"})


def test_every_mail_has_the_standard_links_among_its_variables():
    tokens = {variable.token: variable for variable in render(document()).variables}
    assert tokens["u_unsubscribe"] == Variable("u_unsubscribe", "unsubscribe", "", "u")
    assert set(tokens) == {"t_preferences", "t_unsubscribe", "u_preferences", "u_unsubscribe"}


def test_a_field_has_one_token_for_each_default():
    field = '{{ first_name | default:"friend" }}'
    mail = render(document(note(f'{field} {field} {{{{ first_name | default:"neighbour" }}}}')))
    assert count_tokens(mail.html)["h_first_name_1"] == 2
    assert count_tokens(mail.text) == {
        "t_first_name_1": 2,
        "t_first_name_2": 1,
        "t_preferences": 1,
        "t_unsubscribe": 1,
    }
    assert [v.default for v in mail.variables if v.field == "first_name"] == ["friend", "neighbour"] * 2


@pytest.mark.parametrize(
    "written",
    [
        '{{ first_name | default:"Q & A" }}',
        '{{first_name|default:"Q & A"}}',
        "{{ first_name | default:'Q & A' }}",
        "{{ first_name | default:“Q & A” }}",
        "{{ first_name | default:„Q & A“ }}",
        "{{ first_name | default:« Q & A » }}",
        '{{\u00a0first_name\u00a0|\u00a0default:\u00a0"Q & A"\u00a0}}',
    ],
)
def test_a_field_may_be_written_as_word_processors_write_it(written: str):
    mail = render(document(subject=written))
    assert [v.default for v in mail.variables if v.field == "first_name"] == ["Q & A"]
    assert read_as(mail)[0] == "Q & A"


@pytest.mark.parametrize("quote", ["&quot;", "&#34;", '"'])
def test_a_default_in_html_is_decoded_once_and_escaped_once(quote: str):
    body = f"<p>Dear {{{{ first_name | default:{quote}Q &amp; A{quote} }}}}</p>"
    mail = render(document(Note(body_html=body, body_text="Dear")))
    assert [v.default for v in mail.variables if v.context == "h"] == ["Q & A"]
    assert "Dear Q &amp; A</p>" in read_as(mail)[1]


def test_an_unknown_field_is_refused_and_the_nearest_one_is_named():
    with pytest.raises(MergeError, match="no personal field “firstname”") as refusal:
        render(document(note('{{ firstname | default:"friend" }}')))
    assert "Did you mean “first_name”?" in str(refusal.value)
    assert (refusal.value.block, refusal.value.field) == ("intro", "firstname")


def test_an_unknown_field_without_a_near_name_lists_them_all():
    with pytest.raises(MergeError, match="The fields are first_name, name, city, region"):
        render(document(note('{{ shoe_size | default:"9" }}')))


@pytest.mark.parametrize(
    "written", ["{{ first_name }}", '{{ first_name | default:"" }}', '{{ first_name | default:" " }}']
)
@pytest.mark.requirement("T3")
def test_a_field_without_a_default_is_refused(written: str):
    with pytest.raises(MergeError, match="needs a default"):
        render(document(subject=written))


@pytest.mark.parametrize(
    "written",
    [
        "{{ 7*7 }}",
        "{{ first_name",
        "{{ first_name | upper }}",
        '{{ first_name | default:"friend" | upper }}',
        "{% if first_name %}x{% endif %}",
        "{{ ''.__class__.__mro__ }}",
        "{{ config }}",
        '{{ first_name.__class__ | default:"x" }}',
        "{{ cycler.__init__.__globals__.os }}",
        "{{}}",
        '{{ first_name | default:"a{{b}}" }}',
        '{{ <b>first_name</b> | default:"x" }}',
    ],
)
@pytest.mark.parametrize("place", ["subject", "preheader", "body"])
@pytest.mark.requirement("T1")
def test_anything_but_a_known_field_is_refused(written: str, place: str):
    with pytest.raises(MergeError) as refusal:
        render(document(note(written)) if place == "body" else document(**{place: written}))
    assert refusal.value.block == ("intro" if place == "body" else place)
    assert "personal field" in str(refusal.value)


@pytest.mark.parametrize("href", ["https://x.example/{{ first_name }}", "https://x.example/%7B%7Bname%7D%7D"])
def test_a_field_in_the_address_of_a_link_is_refused(href: str):
    with pytest.raises(MergeError, match="inside a link"):
        render(document(Note(body_html=f'<p><a href="{href}">Our page</a></p>', body_text="", key="intro")))


def test_a_default_of_a_whole_paragraph_is_refused():
    with pytest.raises(MergeError, match="longer than 100"):
        render(document(subject='{{ name | default:"' + "x" * 101 + '" }}'))


@pytest.mark.parametrize(
    "text",
    [
        "{{ 7*7 }}",
        '{{ first_name | default:"friend" }}',
        "{% for x in y %}",
        "%recipient.email%",
        "*|FNAME|*",
        "<%asm_group_unsubscribe_url%>",
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "a & b < c",
    ],
)
@pytest.mark.requirement("H3")
def test_the_text_of_a_story_is_escaped_in_html_and_text(text: str):
    item = story(text, teaser=text, notes=(text,))
    mail = render(document(LeadStory(item), StoryCards((item,), heading=text)))
    shown = text.replace("__pv_", "_\u2060_pv_")
    assert visible_text(mail.html).count(shown) == 7
    assert mail.text.count(shown) == 7
    assert "<script" not in mail.html
    assert "onerror=alert(1)>" not in mail.html.replace("&gt;", "")
    assert {v.field for v in mail.variables} == {"unsubscribe", "preferences"}


@pytest.mark.requirement("H3")
def test_a_token_in_a_story_is_never_taken_for_one():
    token = "__pv_u_unsubscribe__ __PV_t_x__"
    item = story(token, teaser=token, notes=(token,), url="https://x.example/__pv_u_unsubscribe__")
    html, text = (getattr(render(document(LeadStory(item))), part) for part in ("html", "text"))
    assert count_tokens(html) == {"u_unsubscribe": 1, "u_preferences": 1}
    assert count_tokens(text) == {"t_unsubscribe": 1, "t_preferences": 1}
    assert "__pv_u_unsubscribe__" in visible_text(html).replace("\u2060", "")


def test_a_token_in_staff_text_is_never_taken_for_one():
    typed = "__pv_h_first_name_1__"
    mail = render(document(note(typed), subject=typed, preheader=typed))
    assert count_tokens(mail.subject + mail.preheader + mail.html).keys() == {"u_unsubscribe", "u_preferences"}


def test_the_title_of_the_html_is_the_subject_as_a_stranger_reads_it():
    assert "<title>Wages paid, friend</title>" in render(rich_document()).html


@pytest.mark.parametrize("after", ["Dear", "__pv_h_a____pv_h_a__", "__pv_h_b__", "__pv_h_a__ __pv_h "])
def test_a_step_that_loses_doubles_or_breaks_a_token_stops_the_mail(after: str):
    with pytest.raises(TokenLostError, match="“styles”"):
        assert_tokens_kept(before="__pv_h_a__", after=after, step="styles")


def test_fragments_join_to_the_text_with_values_in_place():
    fragments = split("a__pv_h_x__b__pv_h_y____pv_h_x__")
    assert fragments.names == ("h_x", "h_y", "h_x")
    assert fragments.join({"h_x": "1", "h_y": "__pv_h_x__"}) == "a1b__pv_h_x__1"
    assert split("nothing personal").join({}) == "nothing personal"


def test_a_person_without_a_value_is_noticed_when_joining():
    with pytest.raises(KeyError, match="h_x"):
        split("__pv_h_x__").join({})


def test_a_token_book_numbers_defaults_of_one_field():
    registry = TokenRegistry()
    made = [registry.token(name="city", default=default, context="t") for default in ("here", "there", "here")]
    assert made == ["__pv_t_city_1__", "__pv_t_city_2__", "__pv_t_city_1__"]


def test_a_plan_made_once_gives_each_of_many_people_their_own_values():
    mail = render(rich_document())
    names = ["Amina", "", "👩🏽‍⚖️", "Zoë\tB", "<b>"]
    columns = {field: [link] * len(names) for field, link in LINKS.items()} | {"first_name": names}
    values = plan_values(mail.variables)(columns)
    assert values == [values_for(variables=mail.variables, fields=LINKS | {"first_name": name}) for name in names]
    assert [each["t_first_name_1"] for each in values] == ["Amina", "friend", "👩🏽‍⚖️", "Zoë B", "<b>"]
