"""The idea itself, pure: language, checks, policy, calendars, and the machine that runs it."""
