"""The pages under docs/language, made from the models: `python -m deploy.language_docs`."""
