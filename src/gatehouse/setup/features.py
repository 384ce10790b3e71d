"""Which capabilities are there."""

from gatehouse.common.presentation.http.settings import FeatureSettings
from gatehouse.common.settings import AppSettings, Settings


def serves_docs(settings: Settings) -> bool:
    docs = settings[FeatureSettings].docs
    return not settings[AppSettings].is_production if docs is None else docs
