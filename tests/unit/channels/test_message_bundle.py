"""All files of a message are one message: published together, refused together, told apart."""

import pytest

from channels.message_bundle import bundle, files_of, message_of, read_message
from channels.message_file import MessageFileError

BASE = '---\nsubject: "Late"\n---\nLate.\n'
DE = '---\nsubject: "Spät"\nlocale: de\n---\nSpät.\n'
SMS = "---\nchannel: [sms, push]\n---\nLate.\n"


def test_one_file_is_kept_as_it_was_written() -> None:
    source = bundle({"late.md": BASE})

    assert source == BASE
    assert files_of("late", source) == {"late.md": BASE}
    assert [file.name for file in read_message("late", source).files] == ["late"]


def test_several_files_have_one_revision_whatever_their_order() -> None:
    files = {"late.md": BASE, "late.de.md": DE, "late.sms.md": SMS}
    source = bundle(files)

    message = read_message("late", source)

    assert source == bundle(dict(reversed(files.items())))
    assert files_of("late", source) == files
    assert [file.name for file in message.files] == ["late", "late.de", "late.sms"]
    assert message.revision != read_message("late", BASE).revision


def test_a_text_message_needs_no_subject_and_takes_that_of_its_language() -> None:
    sms_de = "---\nchannel: sms\nlocale: de\n---\nSpät.\n"
    files = {"late.md": BASE, "late.de.md": DE, "late.sms.md": SMS, "late.sms-de.md": sms_de}

    subjects = {file.name: file.subject for file in read_message("late", bundle(files)).files}

    assert subjects == {
        "late": "Late", "late.de": "Spät", "late.sms": "Late", "late.sms-de": "Spät",
    }  # fmt: skip


def test_marketing_in_one_language_is_marketing_in_all() -> None:
    files = {
        "late.md": BASE.replace("---\nLate", "purpose: service\n---\nLate"),
        "late.de.md": DE.replace("locale", "purpose: marketing\nlocale"),
    }

    assert read_message("late", bundle(files)).purpose == "marketing"


@pytest.mark.parametrize(
    ("files", "file", "problem"),
    [
        ({"late.de.md": DE}, "late", "there is no late.md"),
        ({"late.md": BASE, "late.de.md": BASE}, "late.de", "does not say whom it is for"),
        ({"late.md": BASE, "late.a.md": DE, "late.b.md": DE}, "late.b", "is for the same as late.a"),
        ({"late.md": SMS}, "late", "is for everybody"),
        ({"late.md": BASE, "late.de.mjml": "<mjml></mjml>"}, "late", "late.de.mjml stands alone"),
        (
            {"late.md": BASE, "late.x.md": DE.replace("locale: de", "locale: no")},
            "late.x",
            "locale: False is no language",
        ),
        (
            {"late.md": BASE, "late.x.md": DE.replace("locale: de", "tone: [Very Upset]")},
            "late.x",
            "tone: 'Very Upset' is no name",
        ),
        ({"late.md": BASE.replace("---\nL", "opens: count\n---\nL")}, "late", "opens: is not counted"),
        ({"late.md": BASE.replace("---\nL", "links: all\n---\nL")}, "late", "links: 'all'"),
        (
            {"late.md": BASE, "late.mjml": "<mjml>\n<mj-body>\n<mj-section></mj-body></mjml>"},
            "late.mjml",
            "is not MJML: mismatched tag",
        ),
        (
            {"late.md": BASE, "late.mjml": "<mjml><mj-body>\n<mj-secton></mj-secton></mj-body></mjml>"},
            "late.mjml",
            "MJML has no <mj-secton>",
        ),
        (
            {"late.md": BASE.replace("---\nL", "data: {gate: {url: 'https://{{ x }}/'}}\n---\nL")},
            "late",
            "url is no address",
        ),
        (
            {"late.md": BASE.replace("---\nL", "data: {gate: {url: 'https://a.b/', within: 1m}}\n---\nL")},
            "late",
            "within is too long",
        ),
        (
            {"late.md": BASE.replace("---\nL", "calendar: {title: Flight}\n---\nL")},
            "late",
            "calendar: needs title and starts",
        ),
    ],
)  # fmt: skip
def test_a_fault_names_the_file_that_it_is_in(
    files: dict[str, str], file: str, problem: str
) -> None:
    with pytest.raises(MessageFileError) as caught:
        read_message("late", bundle(files))

    assert caught.value.name == file
    assert problem in caught.value.problem
    assert caught.value.remedy


def test_a_file_belongs_to_the_message_before_its_first_dot() -> None:
    assert [message_of(name) for name in ("late.md", "late.de.upset.md")] == ["late", "late"]
