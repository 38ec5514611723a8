"""Every error that crosses a room's border: one root, one branch a layer, a stable slug, English and Chinese sentences.

The gateway turns these into RFC 9457 problem documents; a worker writes `to_json()` of them into the page or job that
failed, so that a client reads the same words whichever way an error reaches it.
"""

from __future__ import annotations

from typing import Any

TYPE_ROOT = "https://ocrfleet.dev/problems/"


class OcrFleetError(Exception):
    """The root. `slug` is stable for programs; `english` and `chinese` are sentences for people, with {fields} filled in.

    A `reason` that is not said in Chinese too, as `reason_zh`, stands in both sentences.
    """

    slug = "internal"
    status = 500
    title = "Internal error"
    english = "Something went wrong inside the service."
    chinese = "服务内部出错。"

    def __init__(self, *, field: str | None = None, retry_after: int | None = None, **values: Any) -> None:
        self.field = field
        self.retry_after = retry_after
        if "reason" in values:
            values.setdefault("reason_zh", values["reason"])
        self.detail = self.english.format(retry_after=retry_after, **values)
        self.detail_zh = self.chinese.format(retry_after=retry_after, **values)
        super().__init__(self.detail)

    def to_json(self) -> dict[str, Any]:
        """The problem document."""
        row: dict[str, Any] = {
            "type": TYPE_ROOT + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "detail_zh": self.detail_zh,
        }
        if self.field is not None:
            row["field"] = self.field
        if self.retry_after is not None:
            row["retry_after"] = self.retry_after
        return row


# The request


class RequestError(OcrFleetError):
    """Raised when a request cannot be understood or is not allowed; the client can mend it."""

    slug, status, title = "bad-request", 400, "Malformed request"
    english = "The request is malformed: {reason}."
    chinese = "请求格式有误：{reason_zh}。"


class MissingFile(RequestError):
    """Raised when a request carries no document at all."""

    slug = "missing-file"
    english = "No document was sent: put it in the form field `{name}`, or send its bytes, `image_base64` or `url`."
    chinese = "没有收到文件：请放在表单字段 `{name}` 中，或直接发送字节、`image_base64` 或 `url`。"


class BadBase64(RequestError):
    """Raised when `image_base64` does not decode."""

    slug = "bad-base64"
    english = "`image_base64` is not valid base64."
    chinese = "`image_base64` 不是有效的 base64 编码。"


class UnknownOption(RequestError):
    """Raised when an option's name or value is not known."""

    slug, status, title = "unknown-option", 422, "Unknown option"
    english = "`{name}` cannot be `{value}`; known: {known}."
    chinese = "`{name}` 不能是 `{value}`；可用：{known}。"


class KeyMissing(RequestError):
    """Raised when the service asks for an API key and none was sent."""

    slug, status, title = "key-missing", 401, "API key needed"
    english = "This service asks for an API key: send `Authorization: Bearer KEY`."
    chinese = "本服务需要 API 密钥：请发送 `Authorization: Bearer KEY`。"


class KeyRefused(RequestError):
    """Raised when the API key sent is not one of the service's."""

    slug, status, title = "key-refused", 403, "API key refused"
    english = "This API key is not accepted."
    chinese = "该 API 密钥无效。"


class UrlRefused(RequestError):
    """Raised when a `url` may not or cannot be fetched."""

    slug, status, title = "url-refused", 422, "Address refused"
    english = "The address cannot be fetched: {reason}."
    chinese = "无法获取该地址：{reason_zh}。"


class IdempotencyConflict(RequestError):
    """Raised when an Idempotency-Key was used before with another document or other options."""

    slug, status, title = "idempotency-conflict", 409, "Idempotency-Key used before"
    english = "This Idempotency-Key was used before with another document or other options."
    chinese = "该 Idempotency-Key 已用于另一份文件或另一组选项。"


# The document


class DocumentError(OcrFleetError):
    """Raised when a document cannot be read, by the gateway at the door or by a worker later."""

    slug, status, title = "broken-file", 422, "Broken file"
    english = "The file is damaged or incomplete: {reason}."
    chinese = "文件已损坏或不完整：{reason_zh}。"


class EmptyFile(DocumentError):
    """Raised when a document has no bytes."""

    slug = "empty-file"
    english = "The file is empty."
    chinese = "文件是空的。"


class UnsupportedType(DocumentError):
    """Raised when a document's content is none of the known types, whatever its name says."""

    slug, status, title = "unsupported-type", 415, "Not an image or PDF"
    english = "The content is not a PNG, JPEG, BMP, TIFF, WebP, GIF or PDF."
    chinese = "文件内容不是 PNG、JPEG、BMP、TIFF、WebP、GIF 或 PDF。"


class TooManyBytes(DocumentError):
    """Raised when a document is larger than `max_bytes`."""

    slug, status, title = "too-many-bytes", 413, "File too large"
    english = "The file is larger than {limit_mib} MiB."
    chinese = "文件超过 {limit_mib} MiB。"


class TooManyPixels(DocumentError):
    """Raised when a page has more than `max_pixels`; checked before anything is decoded."""

    slug, status, title = "too-many-pixels", 413, "Image too large"
    english = "The image is {width}x{height} pixels; at most {limit_mp} megapixels are read."
    chinese = "图片为 {width}x{height} 像素，最多支持 {limit_mp} 百万像素。"


class TooManyPages(DocumentError):
    """Raised when a document has more than `max_pages`."""

    slug, status, title = "too-many-pages", 413, "Too many pages"
    english = "The document has {pages} pages; at most {limit} are read."
    chinese = "文档共 {pages} 页，最多支持 {limit} 页。"


class TooSmall(DocumentError):
    """Raised when an image is too small to hold a character."""

    slug = "too-small"
    english = "The image is only {width}x{height} pixels: too small to hold text."
    chinese = "图片只有 {width}x{height} 像素，太小，无法包含文字。"


class EncryptedPdf(DocumentError):
    """Raised when a PDF needs a password."""

    slug, title = "encrypted-pdf", "Encrypted PDF"
    english = "The PDF is protected by a password; remove it and send the file again."
    chinese = "PDF 有密码保护；请去除密码后重新上传。"


class NoPages(DocumentError):
    """Raised when a document holds no page, or `pages` selects none."""

    slug, title = "no-pages", "No pages"
    english = "The document has no page to read: {reason}."
    chinese = "文档没有可读的页面：{reason_zh}。"


# The job


class JobError(OcrFleetError):
    """Raised when a job cannot be given or changed as asked."""

    slug, status, title = "job", 409, "Not possible for this job"
    english = "This is not possible for job {id}: {reason}."
    chinese = "无法对任务 {id} 执行该操作：{reason_zh}。"


class JobNotFound(JobError):
    """Raised for an id that this service never issued."""

    slug, status, title = "job-not-found", 404, "No such job"
    english = "There is no job {id}."
    chinese = "任务 {id} 不存在。"


class JobGone(JobError):
    """Raised for a job that was issued and has expired or was deleted."""

    slug, status, title = "job-gone", 410, "Job expired"
    english = "Job {id} has expired or was deleted."
    chinese = "任务 {id} 已过期或已删除。"


class PageNotFound(JobError):
    """Raised for a page number outside the document, or one that was not asked for."""

    slug, status, title = "page-not-found", 404, "No such page"
    english = "Job {id} has no page {page}."
    chinese = "任务 {id} 没有第 {page} 页。"


class PageFailed(JobError):
    """Written into a page that could not be read; `code` says why in one word."""

    slug, status, title = "page-failed", 422, "Page not read"
    english = "The page could not be read: {reason}."
    chinese = "该页无法识别：{reason_zh}。"


# The service


class ServiceError(OcrFleetError):
    """Raised when the service cannot do now what it could do later."""

    slug, status, title = "unavailable", 503, "Not available right now"
    english = "The service is not available right now; try again in {retry_after} seconds."
    chinese = "服务暂时不可用，请在 {retry_after} 秒后重试。"

    def __init__(self, *, field: str | None = None, retry_after: int | None = 5, **values: Any) -> None:
        super().__init__(field=field, retry_after=retry_after, **values)


class StoreUnavailable(ServiceError):
    """Raised when Redis does not answer, is loading, full or read-only."""

    slug = "store-unavailable"


class RecordsTooNew(ServiceError):
    """Raised in a process that is older than the fleet's records: it would misunderstand them."""

    slug = "records-too-new"
    english = "This process knows the fleet's records up to version {known}, they are of version {found}: upgrade it."
    chinese = "本进程只支持到版本 {known} 的任务记录，而现有记录为版本 {found}：请升级本进程。"


class QueueFull(ServiceError):
    """Raised when as much work is waiting as was agreed, for all or for one client."""

    slug, status, title = "queue-full", 429, "Too much work waiting"
    english = "As many jobs are waiting as this service accepts; try again in {retry_after} seconds."
    chinese = "等待中的任务已满，请在 {retry_after} 秒后重试。"


class EngineUnavailable(ServiceError):
    """Raised when an engine that was asked for is not installed on the workers."""

    slug, status, title = "engine-unavailable", 422, "Engine not installed"
    english = "Engine `{engine}` is not installed here; known: {known}."
    chinese = "引擎 `{engine}` 未安装；可用：{known}。"


class BlobMissing(ServiceError):
    """Raised when the bytes of a job to be accepted have vanished meanwhile; the gateway puts them again."""

    slug = "blob-missing"


class FormBroken(ServiceError):
    """Raised at the start when a form's rules cannot be read; the operator can mend the file."""

    slug, status, title = "form-broken", 500, "Form broken"
    english = "The form {path} cannot be used: {reason}."
    chinese = "表单规则 {path} 无法使用：{reason_zh}。"
