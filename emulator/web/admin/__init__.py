"""The admin API, subject by subject."""
