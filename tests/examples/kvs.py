"""A client of Kingsoft KVS as an application might have it: the signature is botocore's, the rest is ``requests``."""

from __future__ import annotations

import json
from typing import Any

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


class KvsError(Exception):
    """KVS refuses. ``code`` is its number or name."""

    def __init__(self, code: Any, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class Kvs:
    """Knows the endpoint and the keys."""

    def __init__(self, endpoint: str, access_key: str, secret_key: str) -> None:
        self._endpoint = endpoint
        self._credentials = Credentials(access_key, secret_key)

    def call(self, action: str, /, document: dict[str, Any] | None = None, **query: str) -> Any:
        """Call one action: POST with a document, GET without."""
        params = {"Action": action, "Version": "2017-01-01", **query}
        body = None if document is None else json.dumps(document)
        headers = {} if body is None else {"Content-Type": "application/json"}
        url = requests.Request("GET", f"{self._endpoint}/", params=params).prepare().url
        signed = AWSRequest("GET" if body is None else "POST", url, data=body, headers=headers)
        SigV4Auth(self._credentials, "kvs", "cn-beijing-6").add_auth(signed)
        answer = requests.request(signed.method, url, data=body, headers=dict(signed.headers), timeout=10).json()
        if "Error" in answer:
            raise KvsError(answer["Error"]["Code"], answer["Error"]["Message"])
        if answer.get("ErrNum", 0):
            raise KvsError(answer["ErrNum"], answer["ErrMsg"])
        return answer

    def make_wave(self, path: str, callback: str | None = None) -> str:
        """Have the wave form of an audio file drawn: the id of the task."""
        bucket, _, key = path.lstrip("/").partition("/")
        order = {
            "Preset": "wave",
            "SrcInfo": {"path": path},
            "DstBucket": bucket,
            "DstObjectKey": f"{key}.json",
            "points": 1000,
        }
        task: str = self.call("CreateWaveTask", {**order, **({"CbUrl": callback} if callback else {})})["TaskID"]
        return task

    def transcode(self, path: str, callback: str) -> str:
        """Have a video transcoded, with callbacks on its progress and its end: the id of the task."""
        bucket, _, key = path.lstrip("/").partition("/")
        order = {
            "Preset": "hd_mp4",
            "SrcInfo": [{"path": path, "index": 0, "type": "video"}],
            "DstBucket": bucket,
            "DstObjectKey": f"out/{key}",
            "CbUrl": callback,
            "ExtParam": json.dumps({"Callback": {"progress_cburl": callback, "progress_cbmethod": "POST"}}),
        }
        task: str = self.call("CreateTask", order)["TaskID"]
        return task
