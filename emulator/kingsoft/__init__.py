"""Kingsoft Cloud's transcoding API (KVS, 点播转码, Version 2017-01-01), whole. Knows core only."""
