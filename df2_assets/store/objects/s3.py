"""S3, and what speaks its protocol: no more requests than are needed."""

from collections.abc import Iterable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from df2_assets.errors import StorageError
from df2_assets.store.objects.client import AT_ONCE, Client, Found, code


class S3(Client):
    """S3, and what speaks its protocol: tags come with each answer, listings in pages of 1000."""

    def __init__(self, protocol: str) -> None:
        super().__init__(protocol, config_kwargs={"max_pool_connections": AT_ONCE})

    def get(self, path: str, start: int | None = None, end: int | None = None) -> tuple[bytes, str]:
        """See `Client.get`: one request, and another one after an answer that broke off."""
        return self.told(path, self._read, path, _range(start, end))

    def get_aged(self, path: str) -> tuple[bytes, str, float]:
        """See `Client.get_aged`: two requests, both times by the store's own clock."""
        data, tag = self.get(path)
        answer = self._call(path, "head_object")
        now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        return data, tag, (now - answer["LastModified"]).total_seconds()

    def head(self, path: str) -> Found:
        """See `Client.head`: one request."""
        answer = self._call(path, "head_object")
        return Found(path.rpartition("/")[2], answer["ContentLength"], answer["ETag"])

    def put(
        self, path: str, data: bytes, *, only_new: bool = False, instead_of: str | None = None
    ) -> str:
        """See `Client.put`: one request, the condition being the store's to hold."""
        condition = {"IfNoneMatch": "*"} if only_new else {}
        if instead_of is not None:
            condition["IfMatch"] = instead_of
        tag: str = self._call(path, "put_object", Body=data, **condition)["ETag"]
        return tag

    def copy(self, path: str, target: str) -> str:
        """See `Client.copy`: one request."""
        bucket, _, key = path.partition("/")
        answer = self._call(target, "copy_object", CopySource={"Bucket": bucket, "Key": key})
        tag: str = answer["CopyObjectResult"]["ETag"]
        return tag

    def listed(self, path: str, *, deep: bool, limit: int | None = None) -> Iterator[Found]:
        """See `Client.listed`: a request a thousand entries."""
        bucket, _, key = path.partition("/")
        prefix = f"{key}/" if key else ""
        asked: dict[str, Any] = {"Prefix": prefix, **({} if deep else {"Delimiter": "/"})}
        if limit is not None:
            asked["MaxKeys"] = limit
        while True:
            page = self._call(bucket, "list_objects_v2", **asked)
            for folder in page.get("CommonPrefixes", ()):
                yield Found(folder["Prefix"].removeprefix(prefix)[:-1], None, "")
            for one in page.get("Contents", ()):
                if not one["Key"].endswith("/"):  # what some tools leave in place of a folder
                    yield Found(one["Key"].removeprefix(prefix), one["Size"], one["ETag"])
            if limit is not None or not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def delete(self, paths: Iterable[str]) -> None:
        """See `Client.delete`: a request a thousand objects."""
        wanted = [path.partition("/") for path in paths]
        for start in range(0, len(wanted), 1000):
            part = wanted[start : start + 1000]
            keys = [{"Key": key} for _, _, key in part]
            bucket = part[0][0]
            answer = self._call(bucket, "delete_objects", Delete={"Objects": keys, "Quiet": True})
            for refused in answer.get("Errors", ()):
                raise StorageError(
                    f"{self.protocol}://{bucket}/{refused['Key']} cannot be deleted "
                    f"({refused['Code']}): give these credentials the right to."
                )

    def _call(self, path: str, method: str, **arguments: Any) -> dict[str, Any]:
        """One request about a bucket, or an object in it."""
        bucket, _, key = path.partition("/")
        of = {"Bucket": bucket, **({"Key": key} if key else {})}
        return self.told(path, self.fs.call_s3, method, **of, **arguments)

    def _read(self, path: str, part: dict[str, str]) -> tuple[bytes, str]:
        from fsspec.asyn import sync
        from s3fs.core import S3_RETRYABLE_ERRORS

        bucket, _, key = path.partition("/")
        for tries_left in reversed(range(self.fs.retries)):
            try:
                answer = self.fs.call_s3("get_object", Bucket=bucket, Key=key, **part)
            except OSError as error:
                if code(error) == "InvalidRange":  # an object without a byte
                    return b"", self.head(path).tag
                raise
            try:
                return sync(self.fs.loop, _whole, answer["Body"]), answer["ETag"]
            except S3_RETRYABLE_ERRORS:
                if not tries_left:
                    raise
        raise AssertionError("s3fs tries at least once")


async def _whole(body: Any) -> bytes:
    """The bytes of an answer, its connection given back also where it breaks off."""
    async with body as opened:
        data: bytes = await opened.read()
    return data


def _range(start: int | None, end: int | None) -> dict[str, str]:
    if start is None:
        return {}
    if start < 0:
        return {"Range": f"bytes={start}"}
    return {"Range": f"bytes={start}-{'' if end is None else end - 1}"}
