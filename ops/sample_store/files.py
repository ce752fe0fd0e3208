"""files.json and the uploads directory, with the gaps between the two (format document, 1.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ops.sample_store import people, vocabulary
from ops.sample_store.chance import Chance, bytes_of
from ops.sample_store.company import DAY, Company, iso
from ops.sample_store.writer import Json, Record

_HOSTS = ("/var/www/fluxstudio/uploads", "/var/www/fluxstudio/uploads", "/app/uploads", "/home/deploy/flux/uploads")
_LARGEST_UPLOAD_BYTES = 900  # real uploads reach 50 MiB; a sample of many needs to stay small
_BYTES_MISSING_ONE_IN = 40
_SIZE_WRONG_ONE_IN = 80


class Format(NamedTuple):
    """A file type: the extension as clients send it, the content type, and the first bytes of such a file."""

    extension: str
    mimetype: str
    magic: bytes


_FORMATS = (
    Format(".png", "image/png", b"\x89PNG\r\n\x1a\n"),
    Format(".PNG", "image/png", b"\x89PNG\r\n\x1a\n"),
    Format(".jpg", "image/jpeg", b"\xff\xd8\xff\xe0"),
    Format(".pdf", "application/pdf", b"%PDF-1.7\n"),
    Format(".webp", "image/webp", b"RIFF"),
    Format(".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04"),
    Format(".mp4", "video/mp4", b"\x00\x00\x00\x18ftypmp42"),
    Format("", "text/plain; name=txt", b"notes\n"),
    Format(".svg", "image/svg+xml; charset=utf-8; " + "note=" + "x" * 90 + "png", b"<svg xmlns="),
    Format(".zip", "application/zip", b"PK\x03\x04"),
)


@dataclass(frozen=True)
class Upload:
    """A file in the uploads directory and, for a message's attachment, the object the upload endpoint answered."""

    name: str
    content: bytes
    record: Record


def file_id(company: Company, index: int) -> str:
    """Give the id of the record with this number."""
    return company.uuid("file", index)


def uploader_id(company: Company, index: int) -> str:
    """Tell whose upload the file with this number was."""
    return people.author_id(company, company.chance("uploader", index))


def files(company: Company) -> Iterator[Record]:
    """Give the records of files.json, oldest first."""
    return (file(company, index) for index in range(company.count("files")))


def file(company: Company, index: int) -> Record:
    """Give one record of files.json with its keys in its writer's order."""
    chance = company.chance("file", index)
    name = _stored_name(company, index)
    size_bytes = len(_content(company, _format(index), "file", index))
    uploaded_at = company.moment("files", index)
    record: Record = {
        "id": file_id(company, index),
        "originalName": _original_name(index, chance),
        "filename": name,
        "path": f"{chance.choose(_HOSTS)}/{name}",
        "url": f"/uploads/{name}",
        "size": size_bytes + (17 if index % _SIZE_WRONG_ONE_IN == 61 else 0),
        "mimetype": _format(index).mimetype,
        "uploadedBy": uploader_id(company, index),
        "uploadedAt": iso(uploaded_at),
        "tags": [],
        "description": "",
        "isPublic": False,
    }
    return record | _edits(index, chance, uploaded_at)


def uploads(company: Company) -> Iterator[tuple[str, bytes]]:
    """Give the files of the uploads directory as relative name and bytes, records of files.json first."""
    for index in range(company.count("files")):
        if index % _BYTES_MISSING_ONE_IN != 23:
            yield _stored_name(company, index), _content(company, _format(index), "file", index)
    for number in range(2 * company.scale):
        yield from _without_record(company, number)


def message_upload(company: Company, number: int, uploader: str) -> Upload:
    """Give the file of a message: its bytes lie in uploads, its only record is the attachment."""
    chance = company.chance("message upload", number)
    form = chance.choose(_FORMATS)
    sent_at = company.moment("messages", number)
    uploaded_at = sent_at - chance.between(500, 30_000)
    upload_id = company.uuid("message upload", number)
    original_name = _as_latin_1(chance.choose(vocabulary.FILE_STEMS) + form.extension)
    name = f"{uploaded_at}-{upload_id}{form.extension}"
    if chance.one_in(20):  # late builds keep them in a directory of their own
        name = f"messages/{uploaded_at}-{original_name}"
    content = _content(company, form, "message upload", number)
    record: Record = {
        "id": upload_id,
        "originalName": original_name,
        "filename": name.rpartition("/")[2],
        "mimetype": form.mimetype,
        "size": len(content),
        "url": f"/uploads/{name}",
        "uploadedBy": uploader,
        "uploadedAt": iso(uploaded_at),
    }
    return Upload(name, content, record)


def draw_content(chance: Chance) -> tuple[Format, bytes]:
    """Draw a new upload's type and bytes."""
    form = chance.choose(_FORMATS)
    return form, form.magic + bytes_of(chance.between(20, 400), chance.hexadecimal(16))


def _format(index: int) -> Format:
    return _FORMATS[index % len(_FORMATS)]


def _stored_name(company: Company, index: int) -> str:
    stem = company.uuid("stored name", index)
    return f"{stem}-{company.moment('files', index)}{_format(index).extension}"


def _content(company: Company, form: Format, what: str, index: int) -> bytes:
    length = company.chance("length", what, index).between(20, _LARGEST_UPLOAD_BYTES)
    return form.magic + bytes_of(length, company.seed, what, index)


def _original_name(index: int, chance: Chance) -> str:
    """Draw the client's name for a file, as the multipart library hands it on: UTF-8 read as Latin-1."""
    name = chance.choose(vocabulary.FILE_STEMS) + _format(index).extension
    if index % 50 == 8:
        return "é" + name.encode("ascii", "ignore").decode()  # sent as Latin-1: there is nothing to repair
    return _as_latin_1(name)


def _as_latin_1(name: str) -> str:
    return name.encode().decode("latin-1")


def _edits(index: int, chance: Chance, uploaded_at: int) -> Record:
    """Give what the edit endpoint stored: any truthy JSON, checked by nobody."""
    position = index % 100
    edited_at = iso(uploaded_at + chance.between(1, 40) * DAY)
    odd: dict[int, dict[str, Json]] = {
        30: {"tags": "stage, props"},
        60: {"description": {"en": "Floor plan", "de": "Grundriss"}},
        70: {"isPublic": "yes"},
        90: {"description": vocabulary.LONE_SURROGATE_TEXT},
    }
    if position in odd:
        return odd[position] | {"updatedAt": edited_at}
    if chance.one_in(5):
        tags = chance.some(("stage", "R&B", "indoor", "final"), at_most=2)
        return {"tags": tags, "description": vocabulary.sentence(chance), "isPublic": True, "updatedAt": edited_at}
    return {}


def _without_record(company: Company, number: int) -> Iterator[tuple[str, bytes]]:
    """Give what other programs left in uploads: contact attachments, avatars, files whose record was never saved."""
    chance = company.chance("orphan", number)
    uploaded_at = company.moment("files", number)
    names = (
        chance.hexadecimal(32),
        f"avatar-{uploaded_at}-{chance.below(10**9)}.jpg",
        f"files-{uploaded_at}-{chance.below(10**9)}.pdf",
        f"{chance.uuid()}-{uploaded_at}.png",
    )
    for position, name in enumerate(names):
        yield name, _content(company, _FORMATS[position], "orphan", 4 * number + position)
