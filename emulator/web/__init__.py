"""The only package that imports aiohttp: requests come in here, callbacks go out from here."""
