"""The buckets and objects that there are, where a test says so; without it, every one exists and can be used."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.errors import ApiError, nearest
from emulator.core.exchange import JsonObject
from emulator.core.values import value_type

HOME = "cn-beijing-6"
"""Where a bucket lies unless it says otherwise."""
_HERE = "cn-beijing"
_MOST_COMPARED = 1000


@value_type
class Bucket:
    """A bucket in object storage.

    Attributes:
        region: where it lies; the service works on buckets in Beijing. [seed, code 1012]
        accessible: whether the service reaches it.
        policy: whether its owner lets the service use it. [seed, code 1212]
        objects: what lies in it, by key: a media description, or ``{}`` for one that is like any other.
        open: whether every key exists, those beside ``objects`` as well.

    """

    name: str
    region: str
    accessible: bool
    policy: bool
    objects: Mapping[str, JsonObject]
    open: bool


@value_type
class World:
    """Every bucket.

    Attributes:
        document: what it was made of.

    """

    document: JsonObject
    buckets: Mapping[str, Bucket]

    @classmethod
    def of(cls, document: JsonObject) -> World:
        """From a document that fits ``schemas/kingsoft/world.json``."""
        return cls(
            document,
            {
                name: Bucket(
                    name=name,
                    region=entry.get("region", HOME),
                    accessible=entry.get("accessible", True),
                    policy=entry.get("policy", True),
                    objects=entry.get("objects", {}),
                    open=entry.get("open", False),
                )
                for name, entry in document["buckets"].items()
            },
        )

    def source(self, path: str) -> JsonObject | None:
        """The media description of the object at ``path`` (``/bucket/key``, the first ``/`` may be left out).

        ``None`` if the object exists and nothing is said of what it holds.

        Raises:
            ApiError: the bucket cannot be used, or has no such object.

        """
        name, _, key = path.removeprefix("/").partition("/")
        bucket = self._bucket(name)
        described = bucket.objects.get(key)
        if described is None and not (bucket.open and key):
            hint = nearest(key, bucket.objects) if len(bucket.objects) <= _MOST_COMPARED else ""
            raise ApiError(1210, f"bucket {name} has no object {key!r}{hint}")
        return described or None

    def target(self, bucket: str) -> None:
        """Let output go to ``bucket``.

        Raises:
            ApiError: it cannot be used.

        """
        self._bucket(bucket)

    def _bucket(self, name: str) -> Bucket:
        found = self.buckets.get(name)
        if found is None:
            hint = nearest(name, self.buckets) if len(self.buckets) <= _MOST_COMPARED else ""
            raise ApiError(1011, f"there is no bucket {name!r}{hint}")
        if not found.region.startswith(_HERE):
            raise ApiError(1012, f"bucket {name} lies in {found.region}, not in Beijing")
        if not found.accessible:
            raise ApiError(1013, f"bucket {name} cannot be reached (accessible is false)")
        if not found.policy:
            raise ApiError(1212, f"the owner of bucket {name} has not granted transcoding (policy is false)")
        return found
