"""A survey's page as a browser reads it, and surveys of every kind to be shown on it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from journey.survey import Survey

SURVEYS = {
    "nps": Survey(
        survey="stay-nps",
        type="nps",
        owner="service",
        question="How likely are you to recommend us?",
        low="not at all likely",
        high="extremely likely",
        comment="What is the reason?",
    ),
    "csat": Survey(
        survey="stay-csat",
        type="csat",
        owner="service",
        question="How content are you?",
        high="very",
    ),
    "ces": Survey(survey="stay-ces", type="ces", owner="service", question="We made it easy."),
    "choice": Survey(
        survey="stay-choice",
        type="choice",
        owner="service",
        question="What was best?",
        choices={"room": "The room", "breakfast": "Breakfast & coffee", "nothing": "Nothing"},
        comment="Anything else?",
    ),
    "text": Survey(
        survey="stay-text",
        type="text",
        owner="service",
        question="What should we know?",
        thanks="We have read it already.",
    ),
}


@dataclass
class Page(HTMLParser):
    """What stands on a page: its tags, its words, and what may be filled in."""

    source: str = ""
    tags: list[str] = field(default_factory=list[str])
    words: list[str] = field(default_factory=list[str])
    title: str = ""
    alert: str = ""
    radios: dict[str, bool] = field(default_factory=dict[str, bool])
    """The values that may be chosen, and whether each is."""
    radio_names: set[str] = field(default_factory=set[str])
    textareas: dict[str, str] = field(default_factory=dict[str, str])
    """What stands in each by name."""
    buttons: list[str] = field(default_factory=list[str])
    _inside: list[str] = field(default_factory=list[str])
    _named: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input":
            self.radio_names.add(name)
            self.radios[given.get("value") or ""] = "checked" in given
        if tag == "textarea":
            self.textareas[name], self._named = "", name
        if tag not in ("input", "meta"):
            self._inside.append("alert" if given.get("role") == "alert" else tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside.pop() == "textarea":
            # As browsers do: the first line break belongs to the tag.
            self.textareas[self._named] = self.textareas[self._named].removeprefix("\n")

    def handle_data(self, data: str) -> None:
        match self._inside[-1] if self._inside else "":
            case "style":
                return
            case "title":
                self.title = data
            case "textarea":
                self.textareas[self._named] += data
            case "button":
                self.buttons.append(data)
            case "alert":
                self.alert = data
            case _:
                self.words.append(data)

    @property
    def chosen(self) -> list[str]:
        return [value for value, checked in self.radios.items() if checked]
