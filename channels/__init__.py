"""E-mail, SMS, push, chat, webhook: one file each, and the fake that passes the same suite."""
