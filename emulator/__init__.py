"""A local emulator of Kingsoft Cloud's transcoding API (KVS) and Baidu iOCR."""

__all__ = ["__version__"]

__version__ = "0.1.0"
