"""Write the pages: `python -m deploy.language_docs`, which is `make docs`."""

from deploy.language_docs.pages import CLONE, FOLDER, pages

made = pages()
for page, text in made.items():
    (CLONE / page).parent.mkdir(parents=True, exist_ok=True)
    (CLONE / page).write_text(text, encoding="utf-8")
for page in sorted((CLONE / FOLDER / "steps").glob("*.md")):
    if page.relative_to(CLONE) not in made:
        page.unlink()
print(f"{len(made)} pages written to {FOLDER}.")
