"""Baidu's iOCR template recognition with its OAuth token, whole. Knows core only."""
