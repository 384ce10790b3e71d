"""Stylesheet, scripts and icon: named by their content, so that a browser may keep them for a year."""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from gatehouse.common.domain.errors import NotFoundError
from gatehouse.common.presentation.http.access import EVERYONE
from gatehouse.common.presentation.http.middleware.compression import accepts_gzip
from gatehouse.common.presentation.http.route import UseCaseRoute

router = APIRouter(prefix="/console/assets", route_class=UseCaseRoute, include_in_schema=False)

_FOLDER: Final = Path(__file__).parent / "static"
_MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS: Final = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    packed: bytes
    media_type: str


def _read(path: Path) -> tuple[str, _Asset]:
    content = path.read_bytes()
    name = f"{path.stem}.{sha256(content).hexdigest()[:12]}{path.suffix}"
    return name, _Asset(content, gzip.compress(content, mtime=0), _MEDIA_TYPES[path.suffix])


# In memory, and packed once: a slow client must not keep a file open beside its connection, which alone is counted.
_FILES: Final = {path.name: _read(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _MEDIA_TYPES}
_ASSETS: Final = dict(_FILES.values())


def asset_url(file: str) -> str:
    """Of a file in `static/`."""
    return f"/console/assets/{_FILES[file][0]}"


@router.get("/{name}", dependencies=[EVERYONE])
async def get_asset(request: Request, name: str) -> Response:
    asset = _ASSETS.get(name)
    if asset is None:
        raise NotFoundError
    if accepts_gzip(",".join(request.headers.getlist("accept-encoding"))):
        return Response(asset.packed, headers={**_HEADERS, "Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.content, headers=_HEADERS, media_type=asset.media_type)
