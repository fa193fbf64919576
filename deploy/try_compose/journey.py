"""The journey that the trial's customers are on: one mail at once, another when the second touchpoint comes."""

import io
import tarfile

FILES = {
    "journey.yaml": """\
language: 1
journey: trial
title: A parcel on its way
owner: trial
enter: {on: Order Placed, again: never}
stages:
  - stage: ordered
    steps:
      - send: {message: ordered, purpose: service}
      - wait:
          any: [{on: Order Shipped, do: [{send: {message: shipped, purpose: service}}, {finish: shipped}]}]
          until: 1d
          late: [{finish: forgotten}]
""",
    "messages/ordered.md": '---\nsubject: "Ordered by {{ customer.first_name }}."\n---\nThank you.\n',
    "messages/shipped.md": '---\nsubject: "Shipped to {{ customer.first_name }}."\n---\nOn its way.\n',
}


def packed() -> bytes:
    """The journey's folder `trial/`, as a tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in FILES.items():
            entry = tarfile.TarInfo(f"trial/{name}")
            entry.size = len(text.encode())
            entry.mode = 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()
