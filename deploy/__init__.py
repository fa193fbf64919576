"""How an installation comes to be: a checkout made ready, an image, a compose file."""
